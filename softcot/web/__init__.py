"""The page: what it can do (`explorer`), how it reads (`views`), how it looks (`look`)."""
