"""The page: what it can do (`explorer`, `results`), how it reads (`views`), its look (`look`)."""
