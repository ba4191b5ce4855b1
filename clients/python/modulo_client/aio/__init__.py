"""The asynchronous client; `modulo_client.sync` is generated from it."""
