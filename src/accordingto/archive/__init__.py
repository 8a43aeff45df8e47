"""Archives: more articles than one run's folder holds, read by shards, on one machine or on many."""
