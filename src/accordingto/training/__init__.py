"""Training: the only room where torch stands; nothing outside imports it."""
