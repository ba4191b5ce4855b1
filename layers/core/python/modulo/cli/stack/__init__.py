"""The embedded stack: runs the servers that the product needs as local processes."""

from modulo.cli.stack.process import StackError
from modulo.cli.stack.stack import SERVICES, Stack

__all__ = ["SERVICES", "Stack", "StackError"]
