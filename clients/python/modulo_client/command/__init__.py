"""The `modulo` command for people and scripts; a server that is installed beside it adds its own commands."""
