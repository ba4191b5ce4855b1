"""Embedders, rerankers and generators: models behind HTTP or boto3, and two that need no model."""
