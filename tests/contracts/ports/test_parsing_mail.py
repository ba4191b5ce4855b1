"""Letters as mail programs of the world write them."""

import io
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.adapters.parsing.eml_parser import EmlParser
from modulo.adapters.parsing.ics_parser import IcsParser
from modulo.domain.documents.document import Block, BlockKind
from modulo.domain.errors import FileRejected

EVENT = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
SUMMARY:Budget review\\, second
 \x20round
LOCATION:Room 12
DTSTART;TZID=Europe/Berlin:20240605T090000
DTEND:20240605T083000Z
ORGANIZER;CN="Lee: Ada":MAILTO:ada@example.org
ATTENDEE;CN=Bo:mailto:bo@example.org
ATTENDEE:mailto:cy@example.org
DESCRIPTION:Bring figures.\\nAnd tea.
BEGIN:VALARM
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
END:VCALENDAR
"""
SHOWN_EVENT = """Request of a meeting
What: Budget review, second round
When: 2024-06-05 09:00 (Europe/Berlin)
Until: 2024-06-05 08:30 UTC
Where: Room 12
Organizer: Lee: Ada <ada@example.org>
Attendees: Bo <bo@example.org>, cy@example.org
Description: Bring figures.
And tea."""


def blocks(content: bytes) -> list[Block]:
    return [block for page in EmlParser().parse(io.BytesIO(content)).pages() for block in page.blocks]


def texts(content: bytes) -> list[str]:
    return [block.text for block in blocks(content)]


def letter(*parts: str, kind: str = "mixed", subject: str = "S") -> bytes:
    whole = "".join(f"--B\n{part}\n" for part in parts)
    return f'Subject: {subject}\nContent-Type: multipart/{kind}; boundary="B"\n\n{whole}--B--\n'.encode()


def part(kind: str, text: str, headers: str = "") -> str:
    return f"Content-Type: {kind}\n{headers}\n{text}"


def attached(name: str, content: bytes, kind: str = "application/octet-stream") -> str:
    headers = f'Content-Disposition: attachment; filename="{name}"\nContent-Transfer-Encoding: base64\n'
    return part(kind, b64encode(content).decode(), headers)


@pytest.mark.parametrize("text", ["Größe für Müller", "Счёт за июнь", "請求書", "Plain"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp1251", "cp932"])
def test_raw_headers(text: str, encoding: str) -> None:
    try:
        raw = text.encode(encoding)
    except UnicodeEncodeError:
        return
    headers = b"From: " + raw + b" <a@example.org>\r\nSubject: " + raw + b"\r\nTo: b@example.org\r\n\r\nbody"
    parsed = EmlParser().parse(io.BytesIO(headers))
    assert (parsed.info.title, parsed.info.author) == (text, f"{text} <a@example.org>")
    name = b'Subject: S\nContent-Type: application/pdf; name="' + raw + b'.pdf"\n\nx'
    assert texts(name) == ["S", f"Attachments: {text}.pdf"]


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("=?utf-8?q?Gr=C3?= =?utf-8?q?=B6=C3=9Fe?=", "Größe"),  # a letter divided between words
        ("=?utf-8?q?a?= =?iso-8859-1?q?_=E9?=", "a é"),
        ("=?iso-8859-1?q?20_=80?=", "20 €"),
        ("=?utf-8*de?q?Gr=C3=B6=C3=9Fe?= x", "Größe x"),
        ("Re: =?gb2312?B?us/NrA==?= 7", "Re: 合同 7"),
        ("=?utf-8?Q?with blank?=", "with blank"),
        ("Größe =?utf-8?q?f=C3=BCr?= Müller", "Größe für Müller"),
        ("=?utf-8?b?R3LDtsOfZQ?=", "Größe"),  # without padding
    ],
)
def test_encoded_words(subject: str, shown: str) -> None:
    assert texts(f"Subject: {subject}\n\nbody".encode())[0] == shown


INNER = "From: cy@example.org\nSubject: Inner\n\nThe code is ZX81."
SHOWN_INNER = ["S", "See below.", "Inner", "From: cy@example.org", "The code is ZX81."]


@pytest.mark.parametrize(
    "forwarded",
    [
        part("message/rfc822", INNER),
        part('message/rfc822; name="x.eml"', INNER, 'Content-Disposition: attachment; filename="x.eml"\n'),
        part("message/rfc822", b64encode(INNER.encode()).decode(), "Content-Transfer-Encoding: base64\n"),
        attached("x.eml", INNER.encode()),
        attached("x.eml", INNER.encode(), "message/rfc822"),
        attached("FWD.EML", INNER.encode(), "text/plain"),
    ],
)
def test_letters_forwarded_as_attachments(forwarded: str) -> None:
    content = letter(part("text/plain", "See below."), forwarded)
    assert texts(content) == SHOWN_INNER
    assert [block.level for block in blocks(content) if block.kind is BlockKind.heading] == [1, 2]


def test_a_damaged_letter_inside_leaves_the_rest() -> None:
    assert texts(letter(part("text/plain", "See."), attached("x.eml", b"no letter"))) == ["S", "See."]


PAGE = "<p>Invoice 4711 is due on Friday.</p><p>Total 90 EUR.</p>"


@pytest.mark.parametrize(
    ("plain", "page", "read"),
    [
        ("Your mail reader does not support HTML.", PAGE, "Invoice 4711 is due on Friday."),
        ("View this e-mail in your browser: https://example.org", PAGE * 3, "Invoice 4711 is due on Friday."),
        ("", PAGE, "Invoice 4711 is due on Friday."),
        ("Invoice 4711 is due on Friday. Total: 90 EUR", PAGE, "Invoice 4711 is due on Friday. Total: 90 EUR"),
        ("Full text of what was said in many words", "<p>never shown", "Full text of what was said in many words"),
        ("Only text", "<img src=x>", "Only text"),
    ],
)
def test_a_stub_gives_way_to_the_page(plain: str, page: str, read: str) -> None:
    for kind in (
        part("text/html", page),
        part('multipart/related; boundary="R"', f"--R\n{part('text/html', page)}\n--R--"),
    ):
        assert texts(letter(part("text/plain", plain), kind, kind="alternative"))[1] == read


def test_pictures_of_a_page_that_is_not_shown_are_no_attachments() -> None:
    related = f"--R\n{part('text/html', '<p>Words said here')}\n--R\n{attached('logo.png', b'x', 'image/png')}\n--R--"
    page = part('multipart/related; boundary="R"', related)
    assert texts(letter(part("text/plain", "Words said here"), page, kind="alternative")) == ["S", "Words said here"]


@pytest.mark.parametrize(
    ("text", "options", "shown"),
    [
        (
            "One paragraph that is \nflowed over \ntwo lines.\n\nNext.",
            "",
            ["One paragraph that is flowed over two lines.", "Next."],
        ),
        ("Wort\x20\nteil", "; delsp=yes", ["Wortteil"]),
        ("> quoted \n> text\nown \ntext", "", ["> quoted text\nown text"]),
        (" From here\nfixed\nlines", "", ["From here\nfixed\nlines"]),
        ("text\n-- \nAda", "", ["text\n--\nAda"]),
    ],
)
def test_flowed_lines(text: str, options: str, shown: list[str]) -> None:
    found = texts(f"Subject: S\nContent-Type: text/plain; format=flowed{options}\n\n{text}".encode())[1:]
    assert ["\n".join(line.rstrip() for line in each.split("\n")) for each in found] == shown


LONG = "The pump runs at forty bar, and Müller changes its filter twice a year. " * 4


def in_base64(text: str) -> str:
    encoded = b64encode(text.encode()).decode()
    return "\n".join(encoded[at : at + 76] for at in range(0, len(encoded), 76))


@pytest.mark.parametrize(
    "header",
    [
        "Content-Transfer-Encoding: base64\n",
        "Content-Transfer-Encoding: BASE64;\n",
        "Content-Transfer-Encoding: 8bit\n",
        "",
    ],
)
@pytest.mark.parametrize("encoded", [in_base64(LONG), in_base64(LONG).rstrip("="), in_base64(LONG) + "\n\n"])
def test_bodies_in_base64(header: str, encoded: str) -> None:
    assert texts(f"Subject: S\n{header}\n{encoded}".encode()) == ["S", LONG.strip()]


def test_what_only_looks_like_base64_stays() -> None:
    key = "\n".join(["A" * 70] * 3)
    assert texts(f"Subject: S\n\n{key}".encode()) == ["S", key]


@pytest.mark.parametrize(
    "invitation",
    [
        letter(part("text/calendar; method=REQUEST; charset=utf-8", EVENT), kind="alternative"),
        letter(part("text/calendar", EVENT), attached("invite.ics", EVENT.encode(), "application/ics")),
        f"Subject: S\nContent-Type: text/calendar\n\n{EVENT}".encode(),
    ],
)
def test_invitations(invitation: bytes) -> None:
    assert texts(invitation) == ["S", SHOWN_EVENT]


def test_an_invitation_beside_its_text() -> None:
    content = letter(part("text/plain", "Please come."), part("text/calendar", EVENT), kind="alternative")
    assert texts(content) == ["S", "Please come.", SHOWN_EVENT]


def test_calendars_as_files() -> None:
    task = "BEGIN:VTODO\nSUMMARY:Mend the roof\nDUE;VALUE=DATE:20240701\nSTATUS:NEEDS-ACTION\nEND:VTODO\n"
    pages = IcsParser().parse(io.BytesIO((EVENT.replace("METHOD:REQUEST\n", "") + task).encode())).pages()
    shown = [block.text for page in pages for block in page.blocks]
    assert shown == [SHOWN_EVENT.partition("\n")[2], "What: Mend the roof\nDue: 2024-07-01\nStatus: NEEDS-ACTION"]


def test_text_attachments_are_read_like_files() -> None:
    content = letter(
        part("text/plain", "See."),
        attached("prices.csv", "name;price\nMüller;20 €\n".encode("cp1252")),
        attached("notes.md", b"# Filter\n\nTwice a year."),
        attached("scan.png", b"\x89PNG\r\n\x1a\n"),
        attached("report.pdf", b"%PDF-1.7"),
        attached("empty.txt", b""),
    )
    assert [(block.level, block.text) for block in blocks(content)[1:]] == [
        (0, "See."),
        (0, "Attachments: prices.csv, notes.md, scan.png, report.pdf, empty.txt"),
        (2, "prices.csv"),
        (0, "name | price\nMüller | 20 €"),
        (2, "notes.md"),
        (3, "Filter"),
        (0, "Twice a year."),
    ]


@pytest.mark.parametrize("mark", ["utf-16", "utf-8-sig"])
def test_a_letter_that_was_saved_as_text(mark: str) -> None:
    assert texts("Subject: Größe\nTo: b@example.org\n\nbody".encode(mark))[0] == "Größe"


@given(st.binary(max_size=400))
def test_any_bytes_behind_a_header_are_read_or_refused(content: bytes) -> None:
    for head in (
        b"Subject: S\n",
        b"Subject: S\nContent-Type: multipart/alternative; boundary=B\n\n--B\n",
        b"To: x\nSubject: ",
    ):
        try:
            assert blocks(head + content)
        except FileRejected:
            continue


@given(st.text(alphabet='BEGINVTODSUMARY:;\\n"= \r\n\t', max_size=300))
def test_any_calendar_is_read_or_refused(text: str) -> None:
    try:
        list(IcsParser().parse(io.BytesIO(f"BEGIN:VEVENT\nSUMMARY:x\n{text}\nEND:VEVENT".encode())).pages())
    except FileRejected:
        return


def test_a_page_names_its_encoding_where_the_letter_does_not() -> None:
    page = "<html><head><meta charset=windows-1251></head><body><p>\u0421\u0440\u043e\u043a</body></html>"
    assert texts(b"Subject: S\nContent-Type: text/html\n\n" + page.encode("cp1251")) == [
        "S",
        "\u0421\u0440\u043e\u043a",
    ]
