"""The `modulo` command line; not part of the functions' layer."""
