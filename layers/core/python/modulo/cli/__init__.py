"""The `modulo` command; no part of the layer that functions carry."""
