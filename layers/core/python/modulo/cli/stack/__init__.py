"""The embedded stack: the servers the product needs, as processes of this machine."""

from modulo.cli.stack.process import StackError
from modulo.cli.stack.stack import SERVICES, Stack

__all__ = ["SERVICES", "Stack", "StackError"]
