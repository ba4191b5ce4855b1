"""One module for each technology and port; vendors are imported here only."""
