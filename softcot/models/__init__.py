"""The frozen language models: found, loaded, and asked in batches."""
