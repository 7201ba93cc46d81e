"""The laboratory: the mini pair's two language models, trained from scratch on generated text."""
