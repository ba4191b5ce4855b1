"""Parsers of Word, PowerPoint and Excel files (Office Open XML)."""
