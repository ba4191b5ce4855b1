# Generated from modulo_client/aio by generate_sync.py: change it there.
"""The synchronous client."""
