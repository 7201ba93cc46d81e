"""SoftCoT Explorer: soft chain-of-thought with two frozen language models and one trained layer."""

__version__ = "0.1.0"
