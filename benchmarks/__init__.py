"""Benchmarks: one module for each question; see README.md."""
