"""One trainer for everything that is trained."""
