"""What soft thoughts look like, read as, and do."""
