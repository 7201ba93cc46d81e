"""The one exception a user is meant to see."""


class UserError(ValueError):
    """Bad input, told in one sentence: what is wrong, and what to do about it."""
