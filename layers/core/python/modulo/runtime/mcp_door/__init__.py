"""The door for assistants: the Model Context Protocol, in both of its eras, over HTTP."""
