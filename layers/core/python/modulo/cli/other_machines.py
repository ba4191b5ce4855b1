"""How other machines reach a server on this one."""

import socket

NOWHERE = ("192.0.2.1", 9)
"""An address of documentation (RFC 5737). A datagram socket that connects chooses a route there, and sends nothing."""


def how_others_reach(port: int) -> str:
    """What to print of the address that other machines use."""
    address = own_address()
    if address is None:
        return f"this machine's name, port {port}, with a key"
    return f"http://{address}:{port}, or this machine's name, with a key"


def own_address() -> str | None:
    """The address of this machine in its network; None where it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(NOWHERE)
        except OSError:
            return None
        return str(probe.getsockname()[0])
