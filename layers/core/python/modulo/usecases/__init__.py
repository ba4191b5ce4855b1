"""One module for each capability; what it needs of the outside stands in its signature."""
