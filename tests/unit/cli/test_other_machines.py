"""What is printed for other machines."""

import socket

import pytest

from modulo.cli import other_machines
from modulo.cli.other_machines import how_others_reach, own_address


def test_the_address_is_one_of_this_machine() -> None:
    address = own_address()
    if address is None:
        pytest.skip("this machine is in no network")
    with socket.create_server((address, 0)):
        pass
    assert how_others_reach(8000) == f"http://{address}:8000, or this machine's name, with a key"


def test_without_a_network_its_name_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_machines, "NOWHERE", ("255.255.255.255", 9))  # a broadcast, which needs a permission
    assert own_address() is None
    assert how_others_reach(8000) == "this machine's name, port 8000, with a key"
