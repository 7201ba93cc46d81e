"""From a question to soft thoughts: the pair, the assistant's states, what is trained, edits."""
