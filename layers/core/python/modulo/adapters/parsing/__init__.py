"""Parsers: files of every readable format into pages of blocks."""
