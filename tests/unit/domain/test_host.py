import pytest

from modulo.domain.host import host_of


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://ada:secret@files.example:8443/private?token=1", "files.example:8443"),
        ("redis://:p%40ss@127.0.0.1:6379/0", "127.0.0.1:6379"),
        ("http://a@b@c.example/", "c.example"),
        ("http://[::1]:80/", "[::1]:80"),
        ("http://[::1", "unknown"),
        ("bedrock:", "unknown"),
        ("", "unknown"),
    ],
)
def test_only_host_and_port_are_shown(url: str, host: str) -> None:
    assert host_of(url) == host
