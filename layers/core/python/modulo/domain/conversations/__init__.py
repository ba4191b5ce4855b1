"""Conversations, and answers that are stored."""
