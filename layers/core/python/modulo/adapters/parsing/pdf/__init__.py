"""Reads PDF through PDFium: text runs and rules of a page, then its lines, tables and blocks."""
