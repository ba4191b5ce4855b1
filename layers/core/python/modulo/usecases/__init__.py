"""One module for each operation; the ports that it needs stand in its signature."""
