"""Answers to figures: one question in several ways, many problems, and the records of both."""
