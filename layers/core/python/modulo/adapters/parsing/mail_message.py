"""Opens messages as the e-mail library reads them: letters, and web archives, which are written like letters."""

from email import message_from_bytes
from email.message import Message

from modulo.adapters.parsing.mail_headers import RawHeaders
from modulo.domain.errors import CorruptFile, EmptyFile, OversizedFile

MAX_MULTIPARTS = 100


def message_of(found: bytes) -> Message:
    """The message that bytes hold, which may be anything.

    Raises:
        EmptyFile: there are none but blanks.
        OversizedFile, CorruptFile: its parts are too many, or nested too deeply.
    """
    if not found.strip():
        raise EmptyFile
    if found.lower().count(b"boundary=") > MAX_MULTIPARTS:  # the library compares each line with every open boundary
        raise OversizedFile(f"An e-mail may have at most {MAX_MULTIPARTS} nested parts.")
    try:
        return message_from_bytes(_in_bytes(found), policy=RawHeaders())
    except RecursionError:
        raise CorruptFile("The parts of the e-mail are nested too deeply.") from None


def inside(part: Message) -> list[Message]:
    """The messages that a message holds as its parts."""
    return [item for item in part.get_payload() if isinstance(item, Message)] if part.is_multipart() else []


def _in_bytes(found: bytes) -> bytes:
    """The letter without a byte order mark; one that was saved in UTF-16 in UTF-8."""
    if found.startswith((b"\xff\xfe", b"\xfe\xff")):
        return found.decode("utf-16", "replace").lstrip().encode("utf-8", "replace")
    return found.removeprefix(b"\xef\xbb\xbf").lstrip()
