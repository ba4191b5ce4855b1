"""What turns events of every kind into calls of use cases."""
