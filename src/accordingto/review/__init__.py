"""The review: what people decide about claims, and what becomes of it."""
