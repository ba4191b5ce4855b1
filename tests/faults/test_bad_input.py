"""Files made to break their reader: each ends ready or with a clear problem, and the next file is ingested."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pytest

from modulo.adapters.parsing.sandbox.isolated_parsers import IsolatedParsers
from modulo.adapters.parsing.sandbox.parse_session import ParserLimits
from modulo.domain.errors import FileRejected
from modulo.domain.files import media
from modulo.ports.parsing import Parser
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests import documents
from tests.contracts.adapters.parsing.sandbox.test_isolated_parsers import DOCUMENTS, hostile
from tests.doubles.memory_metrics import MemoryMetrics
from tests.faults import hostile_files as made
from tests.faults.hostile_files import READY, WORD, HostileFile
from tests.functions.conftest import Api, ref_of, s3_event, sqs_event

of = HostileFile.of
EMPTY, SCANNED, ENCRYPTED, CORRUPT = "empty-file", "scanned-file", "encrypted-file", "corrupt-file"
OVERSIZED, UNSUPPORTED, EXPENSIVE = "oversized-file", "unsupported-file", "expensive-file"
GARBLED = "garbled-file"

FILES = {
    "zero bytes": of("a.pdf", b"", EMPTY),
    "zero bytes of text": of("a.txt", b"", EMPTY),
    "white space": of("a.txt", " \n\t\u00a0\u3000" * 1000, EMPTY),
    "invisible characters": of("a.txt", "\u200b\ufeff\u2060" * 1000, EMPTY),
    "scanned": of("a.pdf", documents.scanned_pdf, SCANNED),
    "blank page": of("a.pdf", documents.empty_pdf, EMPTY),
    "encrypted pdf": of("a.pdf", lambda: documents.pdf(password="secret"), ENCRYPTED),
    "encrypted word": of("a.docx", documents.encrypted_office, ENCRYPTED),
    "old word": of("a.docx", documents.old_office, UNSUPPORTED),
    "truncated pdf": of("a.pdf", lambda: documents.without_end(documents.pdf()), CORRUPT),
    "truncated word": of("a.docx", lambda: documents.without_end(documents.word()), CORRUPT),
    "truncated json": of("a.json", documents.JSON[:-20], CORRUPT),
    # archives
    "zip bomb": of("a.docx", documents.zip_bomb, OVERSIZED),
    "zip of many entries": of(
        "a.docx",
        lambda: documents.zipped([("word/document.xml", b"<a/>"), *((f"{n}", b"") for n in range(10_001))]),
        OVERSIZED,
    ),
    "zip with overlapping entries": of("a.docx", made.overlapping_entries, OVERSIZED),
    "zip that lies of sizes": of("a.docx", made.lying_sizes, CORRUPT),
    "zip in zips": of("a.docx", made.nested_archives, READY),
    "zip alone": of("a.docx", lambda: documents.zipped([("readme.txt", b"hello")]), CORRUPT, UNSUPPORTED),
    # XML
    "billion laughs": of("a.docx", lambda: documents.entity_bomb(documents.word(), "word/document.xml"), CORRUPT),
    "billion laughs in a sheet": of(
        "a.xlsx", lambda: documents.entity_bomb(documents.workbook(), "xl/workbook.xml"), CORRUPT
    ),
    "quadratic entities": of("a.docx", made.quadratic_entity, CORRUPT),
    "external entity": of("a.docx", made.external_entity, CORRUPT),
    "deep word": of("a.docx", made.deep_word, CORRUPT),
    "external entity in html": of(
        "a.html", f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><p>{WORD} &e;</p>', READY
    ),
    # names that lie
    "pdf called txt": of("a.txt", documents.pdf, READY),
    "word called pdf": of("a.pdf", documents.word, READY),
    "text called pdf": of("a.pdf", f"{WORD}", UNSUPPORTED),
    "picture called pdf": of("a.pdf", documents.png, UNSUPPORTED),
    "program called txt": of("a.txt", b"\x7fELF" + bytes(1000), UNSUPPORTED),
    "html called md": of("a.md", documents.HTML, READY),
    "csv called json": of("a.json", "a,b\n1,2\n", CORRUPT),
    # encodings
    "bytes of no encoding": of("a.txt", WORD.encode() + b" \xff\xfe\xfa caf\xe9 \x81\x8d " * 10, READY, UNSUPPORTED),
    "half of UTF-16": of("a.txt", f"{WORD} und Käse ".encode("utf-16") * 50 + b"\xd8", READY),
    "declared wrongly": of("a.html", f'<meta charset="klingon"><p>{WORD}</p>', READY),
    "overlong UTF-8": of("a.txt", WORD.encode() + b" \xc0\xaf\xe0\x80\xaf" * 5, READY, UNSUPPORTED),
    "surrogates in UTF-8": of("a.txt", WORD.encode() + b" \xed\xa0\x80 \xed\xb0\x80" * 5, READY, UNSUPPORTED),
    "surrogates in JSON": of("a.json", json.dumps({"text": f"{WORD} \ud800 \udfff", "\udc00": 1}), READY),
    "zeros in text": of("a.txt", f"{WORD}\0" * 1000, READY, UNSUPPORTED),
    "a zero far inside": of("a.txt", f"{WORD}. " * 5000 + "\0", READY),
    "binary data": of("a.txt", bytes(range(256)) * 100, UNSUPPORTED),
    # size in one place
    "one line without a space": of("a.txt", WORD * 30_000, READY),
    "one line of words": of("a.txt", f"{WORD} " * 30_000, READY),
    "one cell": of("a.csv", f'a,b\n1,"{WORD * 30_000}"\n', READY, OVERSIZED),
    "many cells": of("a.csv", f"{WORD}\n{',' * 1_000_000}\n{',' * 1_000_000}\n", READY, OVERSIZED, EMPTY),
    "one paragraph": of("a.docx", made.long_paragraph, READY),
    "last cell of a sheet": of("a.xlsx", made.huge_sheet, READY, OVERSIZED),
    "texts that are not there": of("a.xlsx", made.strings_without_end, READY, CORRUPT),
    "one line of json lines": of("a.jsonl", lambda: json.dumps({"a": WORD * 500_000}), OVERSIZED),
    "a number without end": of("a.json", f'{{"{WORD}": {"9" * 100_000}}}', READY, CORRUPT),
    # depth
    "deep html": of("a.html", "<div>" * 100_000 + WORD, CORRUPT, READY),
    "deep html list": of("a.html", "<ul><li>x" * 5_000 + WORD, CORRUPT, READY),
    "deep html table": of("a.html", "<table><tr><td>" * 2_000 + WORD, CORRUPT, READY),
    "wide html table": of("a.html", f'<table><tr><td colspan="99999" rowspan="99999">{WORD}</td></tr></table>', READY),
    "deep json": of("a.json", "[" * 100_000 + "]" * 100_000, CORRUPT),
    "deep json objects": of("a.json", '{"a":' * 50_000 + "1" + "}" * 50_000, CORRUPT),
    "deep json line": of("a.jsonl", "[" * 100_000 + "]" * 100_000, CORRUPT),
    "deep markdown quote": of("a.md", ">" * 50_000 + f" {WORD}", READY, EMPTY),
    "deep markdown list": of("a.md", "".join(f"{'  ' * n}- x\n" for n in range(1_000)) + WORD, READY),
    "markdown brackets": of("a.md", "[" * 50_000 + WORD + "](" * 50_000, READY),
    "markdown emphasis": of("a.md", f"{'*a _b' * 20_000} {WORD}", READY),
    "markdown backticks": of("a.md", "".join("`" * n + " " for n in range(1_000)) + WORD, READY),
    "markdown table": of(
        "a.md", f"|{'a|' * 5_000}\n|{'-|' * 5_000}\n" + f"|{WORD}|\n" * 2_000, READY, OVERSIZED, EXPENSIVE
    ),
    "markdown entities": of("a.md", "&" * 100_000 + f"<!{'-' * 50_000} {WORD}", READY, EMPTY),
    # letters
    "letters in letters": of("a.eml", made.nested_letters(1_000), READY, CORRUPT, OVERSIZED),
    "parts in parts": of("a.eml", made.multiparts(5_000), OVERSIZED),
    "many parts": of("a.eml", made.many_letter_parts(5_000), OVERSIZED),
    "packed twice": of("a.eml", made.packed_letter, READY),
    "many headers": of("a.eml", made.letter(WORD, head="".join(f"X-{n}: y\n" for n in range(50_000))), READY),
    "a folded header": of("a.eml", made.letter(WORD, head="X: a\n" + " b\n" * 100_000), READY),
    "an encoded header": of("a.eml", made.letter(WORD, head=f"Cc: {'=?utf-8?q?a?= ' * 20_000}\n"), READY),
    "a file name in parts": of(
        "a.eml", made.letter(WORD, "text/plain" + "".join(f"; name*{n}*=a" for n in range(5_000))), READY
    ),
    # what expressions trip over
    "spaces": of("a.txt", f"{WORD}{' ' * 500_000}{WORD}", READY),
    "line ends": of("a.txt", f"{WORD}{chr(10) * 300_000}{WORD}", READY),
    "lines of spaces": of("a.txt", f"{WORD}{(' ' * 50 + chr(10)) * 10_000}{WORD}", READY),
    "full stops": of("a.txt", f"{WORD}{'. ' * 30_000}", READY),
    "initials": of("a.txt", f"{WORD} {'A.B.' * 20_000} end", READY),
    "quotes": of("a.txt", f"{WORD} {chr(34) * 50_000}", READY),
    "html tags that never end": of("a.html", f"{WORD} {'<a ' * 50_000}", READY, EMPTY, OVERSIZED),
    "html comments": of("a.html", f"{WORD} {'<!--' * 50_000}", READY),
    "html attributes": of("a.html", f"<p {'a=1 ' * 50_000}>{WORD}</p>", OVERSIZED),
    "yaml of one line": of("a.yaml", f"{WORD}: {'&a ' * 50_000}", READY),
    "sql comments": of("a.sql", f"SELECT 1; {'/*' * 50_000} {WORD}", READY),
    "code of definitions": of("a.py", f"# {WORD}\n{'def ' * 50_000}", READY),
    "csv of quotes": of("a.csv", f"{WORD},a\n{chr(34) * 99_999}\n", READY, OVERSIZED),
    "front matter": of("a.md", "---\n" + "a: " * 50_000 + f"\n{WORD}", READY),
    # inside PDF
    "pages in circles": of("a.pdf", made.looping_pages, CORRUPT, EMPTY, OVERSIZED),
    "contents in circles": of("a.pdf", made.looping_outline, READY),
    "forms in circles": of("a.pdf", made.looping_forms, READY, EXPENSIVE),
    "multiplying forms": of("a.pdf", made.multiplying_forms, READY, EXPENSIVE),
    "a length in circles": of("a.pdf", made.endless_length, READY, EMPTY, CORRUPT),
    "tables in circles": of("a.pdf", made.endless_previous, READY, CORRUPT),
    "deep arrays": of("a.pdf", made.deep_arrays, READY, CORRUPT, EMPTY),
    "deep operators": of("a.pdf", made.deep_operators, READY, EMPTY),
    "half a gigabyte of spaces": of("a.pdf", made.stream_bomb, READY, EMPTY, EXPENSIVE),
    "half a gigabyte, packed twice": of("a.pdf", partial(made.stream_bomb, 2), READY, EMPTY, EXPENSIVE),
    "two hundred filters": of("a.pdf", made.filter_chain, READY, EMPTY),
    "a huge picture": of("a.pdf", made.huge_picture, SCANNED),
    "a huge page": of("a.pdf", made.huge_page, READY),
    "1,600 pages in 5 MB": of("a.pdf", made.many_pages, READY),
}
LIMITS = {"parse_seconds": 20, "parse_memory_bytes": 512 * 1024**2, "parse_output_bytes": 32 * 1024**2}


def stored(api: Api, services, collection: str, name: str, content: bytes):
    """A file as if it had been uploaded through a form, which has a limit of its own."""
    receipt = api("POST", f"/collections/{collection}/uploads", json={"name": name, "size_bytes": len(content)})
    assert receipt.status == 201, receipt.text
    ref = ref_of(api, collection, receipt.json)
    services.blobs.put(ref, content, media_type="application/octet-stream")
    return receipt.json


def delivered(api: Api, services, collection: str, *receipts) -> list[Mapping]:
    """The files once one event that names them all, and what followed from it, was handled."""
    event = sqs_event(*(s3_event(ref_of(api, collection, receipt)) for receipt in receipts))
    assert function("ingest_file").handler(event, None) == {"batchItemFailures": []}
    while deliveries := services.ingests.receive(limit=10, wait_seconds=0):
        for delivery in deliveries:
            assert function("ingest_file").handler({"Records": [record_of(delivery)]}, None) == {
                "batchItemFailures": []
            }
            services.ingests.delete(delivery.receipt)
    return [api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json for receipt in receipts]


def answer(file: Mapping) -> str:
    return file["stage"] if file.get("problem") is None else file["problem"]["code"]


@pytest.mark.parametrize("settings", [LIMITS], indirect=True)
@pytest.mark.parametrize("name", FILES)
def test_it_ends_clearly_and_the_next_is_ingested(api: Api, services, collection: str, name: str) -> None:
    bad = FILES[name]
    first = stored(api, services, collection, bad.name, bad.content())
    second = stored(api, services, collection, "good.txt", b"Rain falls mainly on the plain.")
    ended, good = delivered(api, services, collection, first, second)
    assert answer(ended) in bad.ends
    assert good["stage"] == READY
    if ended.get("problem"):
        assert not ended["problem"]["retryable"]
        assert len(ended["problem"]["detail"]) > 20
    else:
        assert ended["chunk_count"] > 0


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("Endless", b"x", EXPENSIVE),
        ("Waiting", b"x", EXPENSIVE),
        ("Hungry", b"x", EXPENSIVE),
        ("Verbose", b"x", EXPENSIVE),
        ("Broken", b"x", "unreadable-file"),
        ("Deep", b"x", "unreadable-file"),
        ("Crashing", b"11", "unreadable-file"),
        ("AtOnce", b"x", "unreadable-file"),
        ("Lying", b"x", "unreadable-file"),
    ],
)
def test_a_broken_parser_ends_its_file_alone(api: Api, services, collection, name, content, code) -> None:
    hostile_parser = hostile(name, services.metrics, seconds=1, memory_bytes=64 * 1024**2)
    isolated = services.parser_for
    services.parser_for = lambda media_type: hostile_parser if media_type == media.MARKDOWN else isolated(media_type)
    first = stored(api, services, collection, "bad.md", content)
    second = stored(api, services, collection, "good.txt", b"Rain falls mainly on the plain.")
    ended, good = delivered(api, services, collection, first, second)
    assert (ended["stage"], answer(ended)) == ("failed", code)
    assert good["stage"] == READY


@pytest.mark.parametrize("name", ["a.pdf", "a.txt", "a.docx"])
def test_zero_bytes_are_refused_at_once(api: Api, collection: str, name: str) -> None:
    reply = api.try_upload(collection, b"", name)
    assert (reply.status, reply.json["type"].rpartition("/")[2].rpartition(":")[2]) == (422, EMPTY)


NAMES = {
    "right to left": ("\u05d3\u05d5\u05d7.txt", 201),
    "Arabic": ("\u062a\u0642\u0631\u064a\u0631 \u0633\u0646\u0648\u064a.txt", 201),
    "emoji": ("\U0001f30a\U0001f468\u200d\U0001f469\u200d\U0001f467.txt", 201),
    "combining": ("e\u0301" * 120 + ".txt", 201),
    "turned around": ("a\u202etxt.exe.txt", 422),
    "a path": ("../../etc/passwd.txt", 422),
    "a path of Windows": ("C:\\a.txt", 422),
    "a zero": ("a\0.txt", 422),
    "a line end": ("a\r\nX: y.txt", 422),
    "long": ("a" * 252 + ".txt", 422),
    "dots": ("..", 422),
    "nothing": ("", 422),
    "reserved by Windows": ("con.txt", 201),
    "formatted": ("%s%n{0}$(x)`x`.txt", 201),
    "quoted": ("\"';--.txt", 201),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(api: Api, services, collection: str, name: str) -> None:
    called, status = NAMES[name]
    reply = api("POST", f"/collections/{collection}/uploads", json={"name": called, "size_bytes": 5})
    assert reply.status == status, reply.text
    if status == 201:
        services.blobs.put(ref_of(api, collection, reply.json), b"Rain.", media_type="text/plain")
        (file,) = delivered(api, services, collection, reply.json)
        assert file["stage"] == READY
        found = api("POST", "/search", json={"question": "rain?", "collection_id": collection}).json
        assert [hit["chunk"]["metadata"]["source"] for hit in found["query_results"]] == [file["name"]]


MUTANTS = 40


@pytest.mark.parametrize("media_type", DOCUMENTS)
def test_damage_anywhere_is_a_rejection_or_read(media_type: str) -> None:
    content = DOCUMENTS[media_type]
    metrics = MemoryMetrics()
    parser = IsolatedParsers(ParserLimits(**{k.removeprefix("parse_"): v for k, v in LIMITS.items()}), metrics)(
        media_type
    )
    damaged: Callable[[bytes, int, int], Iterator[bytes]]
    damaged = made.office_mutants if content.startswith(b"PK") else made.mutants
    ends = [ending(parser, mutant) for mutant in damaged(content, MUTANTS, 1)]
    assert set(ends) - {READY, CORRUPT, OVERSIZED, UNSUPPORTED, EMPTY, SCANNED, ENCRYPTED, GARBLED} == set()
    assert 0 < ends.count(READY) < MUTANTS
    assert not metrics.counts


def ending(parser: Parser, content: bytes) -> str:
    try:
        assert all(page.number for page in parser.parse(io.BytesIO(content)).pages())
    except FileRejected as error:
        return error.code()
    return READY
