"""Searches: look into the cache, retrieve, answer, remember."""
