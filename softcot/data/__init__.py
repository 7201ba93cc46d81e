"""Problems and their answers: the tasks, where they come from, and how an answer is read."""
