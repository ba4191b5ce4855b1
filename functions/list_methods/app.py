"""Any method that a path's own functions do not take."""

from modulo.runtime.endpoint import handler_of
from modulo.runtime.unserved import unserved_methods

handler = handler_of(unserved_methods())
