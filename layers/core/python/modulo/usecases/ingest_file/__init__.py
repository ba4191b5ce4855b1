"""From an uploaded file to verified chunks."""
