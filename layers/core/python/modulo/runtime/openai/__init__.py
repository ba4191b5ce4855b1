"""The door for OpenAI's clients: the shapes of their requests and answers, and nothing else."""
