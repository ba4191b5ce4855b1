"""Collections: their models, members, grants and re-embedding."""
