"""Optical character recognition of scanned pages, through Tesseract."""
