"""Answers for other programs, in the form of OpenAI's interface."""
