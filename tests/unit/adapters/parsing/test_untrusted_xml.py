"""XML of strangers: what it may not do."""

import io
from pathlib import Path

import pytest
from lxml import etree

from modulo.adapters.parsing.untrusted_xml import OVERLAP_BYTES, declares_entities, xml_events, xml_parser

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "declaration", ['<!DOCTYPE a SYSTEM "b.dtd">', '<!DOCTYPE a [<!ENTITY b "c">]>', '<!ENTITY b "c">']
)
def test_declarations_are_found_in_every_encoding(encoding: str, declaration: str) -> None:
    assert declares_entities(f'<?xml version="1.0"?>\n{declaration}<a/>'.encode(encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_comments_and_characters_are_no_declarations(encoding: str) -> None:
    assert not declares_entities("<a><!-- DOCTYPE --><![CDATA[ENTITY]]>&lt;!DOCTYPE</a>".encode(encoding))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_declaration_that_is_cut_in_two_is_found_with_the_overlap(encoding: str) -> None:
    text = f"<a>{'-' * 50}<!ENTITY b 'c'>{'-' * 50}</a>".encode(encoding)
    for cut in range(len(text)):
        first, second = text[:cut], text[cut:]
        assert declares_entities(first) or declares_entities(first[-OVERLAP_BYTES:] + second), cut


@pytest.fixture
def hostile(tmp_path: Path) -> bytes:
    """A document that says what is in a file of the machine, if it is let."""
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    return f'<!DOCTYPE a [<!ENTITY b SYSTEM "{secret.as_uri()}">]><a>&b;</a>'.encode()


@pytest.mark.parametrize("recover", [False, True])
def test_entities_are_not_replaced(hostile: bytes, recover: bool) -> None:
    found = etree.fromstring(hostile, xml_parser(recover=recover))
    assert "the secret" not in "".join(found.itertext())


def test_nor_are_they_while_the_text_is_read(hostile: bytes) -> None:
    texts = ["".join(element.itertext()) for _, element in xml_events(io.BytesIO(hostile), ("end",), ["a"])]
    assert len(texts) == 1
    assert "the secret" not in texts[0]


def test_what_is_not_well_formed_is_read_as_far_as_it_goes_where_that_is_asked_for() -> None:
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(b"<a><b>text</a>", xml_parser())
    assert etree.fromstring(b"<a><b>text</a>", xml_parser(recover=True)).findtext("b") == "text"
