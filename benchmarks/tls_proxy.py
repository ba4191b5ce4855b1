"""A proxy that speaks TLS in front of a Postgres that does not, as RDS Proxy does in a managed deployment."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import URL, create_engine, text

HOST: Final = "127.0.0.1"
SSL_REQUEST: Final = bytes.fromhex("0000000804d2162f")
"""With this a client of Postgres asks for TLS; `S` grants it."""
CHUNK_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class TlsProxy:
    """Where it listens, and the file with the certificate of its authority."""

    port: int
    ca_file: Path


@contextmanager
def tls_proxy(port: int, folder: Path) -> Iterator[TlsProxy]:
    """Serve TLS in front of the Postgres on a port of this machine; the folder takes the certificate."""
    ca_file, key_file = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file, key_file)
    with closing(socket.create_server((HOST, 0))) as listening:
        threading.Thread(target=_accept, args=(listening, context, port), daemon=True).start()
        yield TlsProxy(listening.getsockname()[1], ca_file)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "proxy.crt", folder / "proxy.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return certificate_file, key_file


def _accept(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):  # closed at the end
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=(client, context, port), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError), closing(client):
        if client.recv(len(SSL_REQUEST), socket.MSG_WAITALL) != SSL_REQUEST:
            return
        client.sendall(b"S")
        with context.wrap_socket(client, server_side=True) as secure, socket.create_connection((HOST, port)) as server:
            back = threading.Thread(target=_copy, args=(server, secure), daemon=True)
            back.start()
            _copy(secure, server)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def admit_without_password(owner: URL, user: str) -> None:
    """Make a user of this Postgres whose password nobody checks: here no IAM can say whether a token is valid."""
    engine = create_engine(owner.difference_update_query(["sslmode"]), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        rules = Path(connection.execute(text("SHOW hba_file")).scalar_one())
        rules.write_text(f"host all {user} {HOST}/32 trust\n{rules.read_text()}")
        connection.execute(text(f"CREATE ROLE {user} LOGIN IN ROLE {owner.username}"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
