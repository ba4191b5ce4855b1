"""Chunks: nothing lost, nothing too long, places true, tables and headings kept."""

import itertools
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modulo.domain.collections.collection import Chunking
from modulo.domain.documents.chunk import Chunk
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.ingestion.chunking import chunk, page_text
from modulo.domain.retrieval.passage_sentences import passage_sentences
from modulo.domain.text.tokens import Rate, estimate, rate_of

PROSE = (
    "The committee met on 3 March. It approved the budget of 1.2 million dollars for the coming year. "
    "Dr. Smith abstained from the vote. The members asked for a report by the end of June. "
)


SEVEN = "a heading of six or seven words"


def heading(text: str, level: int = 1) -> Block:
    return Block(BlockKind.heading, text, level)


def text(words: str) -> Block:
    return Block(BlockKind.text, words)


def table(*rows: str) -> Block:
    return Block(BlockKind.table, "\n".join(rows))


def cut(*blocks: Block, max_tokens: int = 64, overlap_tokens: int = 16) -> list[Chunk]:
    page = Page(1, blocks)
    return list(chunk([page], Chunking(max_tokens=max_tokens, overlap_tokens=overlap_tokens)))


def squeezed(words: str) -> str:
    return "".join(words.split())


class TestPlainText:
    def test_nothing_gives_nothing(self) -> None:
        assert not list(chunk([], Chunking()))
        assert not cut(text(" \n "), heading("  "), table(""))

    def test_a_short_text_is_one_chunk(self) -> None:
        (only,) = cut(text("  One sentence. "))
        assert only == Chunk(0, "One sentence.", 1, 2, 15)

    def test_long_text_is_cut_at_sentence_ends_with_overlap(self) -> None:
        chunks = cut(text(PROSE * 10))
        assert len(chunks) > 5
        assert all(c.text.endswith(".") for c in chunks)
        for before, after in itertools.pairwise(chunks):
            assert before.start < after.start < before.end < after.end

    def test_no_overlap_when_none_is_wanted(self) -> None:
        chunks = cut(text(PROSE * 10), overlap_tokens=0)
        assert all(before.end <= after.start for before, after in itertools.pairwise(chunks))

    def test_chunks_are_balanced_rather_than_followed_by_a_crumb(self) -> None:
        sizes = [estimate(c.text) for c in cut(text(PROSE * 7), max_tokens=200, overlap_tokens=40)]
        assert min(sizes) > max(sizes) / 2

    def test_paragraph_ends_are_preferred(self) -> None:
        paragraph = "Alpha beta gamma delta. " * 9
        chunks = cut(text(paragraph), text(paragraph), text(paragraph), max_tokens=64, overlap_tokens=0)
        assert [squeezed(c.text) for c in chunks] == [squeezed(paragraph)] * 3

    def test_a_word_longer_than_a_chunk_is_cut(self) -> None:
        word = "x" * 2_000
        chunks = cut(text(word), overlap_tokens=0)
        assert "".join(c.text for c in chunks) == word
        assert all(estimate(c.text) <= 64 for c in chunks)

    def test_white_space_cannot_swell_a_chunk(self) -> None:
        chunks = cut(text("a" + " " * 50_000 + "b" + "\t" * 50_000 + "c."))
        assert [c.text for c in chunks] == ["a", "b", "c."]

    def test_german_is_weighed_as_german(self) -> None:
        words = "Die Verwaltung der Gesellschaft ist mit den Verhandlungen nicht zufrieden. " * 30
        chunks = cut(text(words))
        assert rate_of(words) is Rate.other
        assert all(estimate(c.text, Rate.other) <= 64 for c in chunks)


class TestHeadings:
    def test_the_path_goes_with_the_text_but_is_no_part_of_it(self) -> None:
        (only,) = cut(heading("Report"), heading("Budget", 2), text("It grew."))
        assert (only.heading, only.text) == ("Report > Budget", "It grew.")

    def test_the_path_lasts_across_pages(self) -> None:
        pages = [Page(1, (heading("Report"), text("One."))), Page(2, (heading("Budget", 2),)), Page(3, (text("Two."),))]
        chunks = list(chunk(pages, Chunking()))
        assert [(c.page, c.heading, c.text) for c in chunks] == [
            (1, "Report", "One."),
            (3, "Report > Budget", "Two."),
        ]

    def test_a_heading_ends_those_as_deep(self) -> None:
        chunks = cut(
            heading("A"), heading("B", 2), text(PROSE), heading("C", 2), text(PROSE), heading("D"), text(PROSE)
        )
        assert [c.heading for c in chunks] == ["A > B", "A > C", "D"]

    def test_small_sections_share_a_chunk_under_what_they_share(self) -> None:
        (only,) = cut(heading("Questions"), heading("Who?", 2), text("Me."), heading("When?", 2), text("Now."))
        assert (only.heading, only.text) == ("Questions", "Who?\n\nMe.\n\nWhen?\n\nNow.")

    def test_large_sections_do_not(self) -> None:
        chunks = cut(heading("A"), text(PROSE), heading("B"), text(PROSE), max_tokens=200)
        assert [c.heading for c in chunks] == ["A", "B"]

    def test_a_heading_above_nothing_is_text(self) -> None:
        assert [(c.heading, c.text) for c in cut(heading("Only this"))] == [("", "Only this")]
        chunks = cut(heading("Cover"), heading("Start"), text(PROSE * 2))
        assert chunks[0].heading == ""
        assert chunks[0].text.startswith("Cover\n\nStart\n\nThe committee")
        assert {c.heading for c in chunks[1:]} == {"Start"}

    def test_an_endless_heading_is_text(self) -> None:
        chunks = cut(heading("word " * 200), text("Body."))
        assert all(estimate(c.embedded_text) <= 64 for c in chunks)
        assert squeezed("word " * 200) in squeezed("".join(c.text for c in chunks))

    def test_a_heading_is_not_taken_for_a_later_one_of_the_same_words(self) -> None:
        named, small, below = heading(SEVEN), heading("A", 2), heading(SEVEN, 2)
        for blocks in ((small, small, named, small, small), (small, below, text("Rain."))):
            pages = [Page(1, (named,)), Page(2, blocks)]
            found = list(chunk(pages, Chunking(max_tokens=32, overlap_tokens=0)))
            assert found[0].heading == SEVEN
            assert found[0].text.startswith("A\n\n")
            assert not [left for page in pages for left in lost(page, found)]

    def test_white_space_below_headings_swells_no_chunk(self) -> None:
        blank = heading(" " * 500, 0)
        blocks = (heading("A"), heading("B", 2), blank, text("Rain."), heading("C"), heading("D"))
        found = list(chunk([Page(1, blocks)], Chunking(max_tokens=32, overlap_tokens=0)))
        assert [(c.heading, c.text) for c in found] == [("A > B", "Rain.\n\nC"), ("", "D")]

    def test_a_path_too_long_keeps_its_end(self) -> None:
        long = "ten plain words make this heading rather long to read"
        chunks = cut(heading(long), heading(long + " again", 2), text("Body."))
        assert [(c.heading, c.text) for c in chunks] == [("", f"{long}\n\n{long} again\n\nBody.")]

    def test_headings_that_lead_to_a_table_stand_with_it(self) -> None:
        long = "ten plain words make this heading rather long to read"
        (only,) = cut(heading(long), heading(long + " again", 2), table("a | b", "1 | 2"), max_tokens=80)
        assert (only.heading, only.table) == ("", 0)
        assert only.text == f"{long}\n\n{long} again\n\na | b\n1 | 2"


class TestTables:
    ROWS = tuple(f"Region {n} | {n * 10} | {n * 11}" for n in range(60))
    HEADER = "Name | 2019 | 2020"

    def test_headings_of_the_same_words_are_no_table_s_both(self) -> None:
        page = Page(1, (heading(SEVEN), heading("A", 2), heading(SEVEN, 2), table("0")))
        assert not list(lost(page, list(chunk([page], Chunking(max_tokens=32, overlap_tokens=0)))))

    def test_a_small_table_is_whole_with_its_caption_and_note(self) -> None:
        blocks = (
            text("Before it all. " * 5),
            text("Table 1: Sales"),
            table(self.HEADER, "A | 1 | 2"),
            text("Source: us"),
        )
        before, found = cut(*blocks)
        assert before.table is None
        assert found.table == 0
        assert found.text == f"Table 1: Sales\n\n{self.HEADER}\nA | 1 | 2\n\nSource: us"
        assert found.text == page_text(Page(1, blocks))[found.start : found.end]

    @pytest.mark.parametrize("units", ["(in millions, except per share)", "In thousands of euros", "(unaudited)"])
    def test_what_the_figures_are_in_stands_with_each_piece(self, units: str) -> None:
        chunks = cut(heading("Sales", 2), text(units), table(self.HEADER, *self.ROWS), max_tokens=100)
        assert len(chunks) > 1
        assert all(
            units in f"{piece.heading}{piece.text}" and "Sales" in f"{piece.heading}{piece.text}" for piece in chunks
        )

    def test_the_note_below_a_large_table_stays_in_its_last_piece(self) -> None:
        chunks = cut(table(self.HEADER, *self.ROWS), text("Source: the national bureau"), max_tokens=100)
        assert all(piece.table == 0 for piece in chunks)
        assert [piece for piece in chunks if "Source" in piece.text] == [chunks[-1]]

    def test_a_large_table_repeats_its_header(self) -> None:
        chunks = cut(heading("Sales"), text("Table 1: by region"), table(self.HEADER, *self.ROWS), max_tokens=100)
        assert chunks[0].text.startswith(f"Table 1: by region\n\n{self.HEADER}\nRegion 0 |")
        assert all(c.text.startswith(self.HEADER + "\n") for c in chunks[1:])
        assert all(c.heading == "Sales > Table 1: by region" for c in chunks[1:])
        rows = [line for c in chunks for line in c.text.split("\n") if line.startswith("Region ")]
        assert rows == list(self.ROWS)
        assert all(estimate(c.embedded_text) <= 100 for c in chunks)

    def test_a_large_table_repeats_all_its_header_rows(self) -> None:
        block = Block(BlockKind.table, "\n".join(["x | 2023 | 2024", self.HEADER, *self.ROWS]), header_rows=2)
        first, *rest = cut(block, max_tokens=100)
        assert first.text.startswith(f"x | 2023 | 2024\n{self.HEADER}\n")
        assert rest
        assert all(piece.text.startswith(f"x | 2023 | 2024\n{self.HEADER}\n{self.ROWS[0][:4]}") for piece in rest)

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.integers(64, 300))
    def test_rows_of_a_large_table_stand_below_what_names_their_group(self, sizes: list[int], most: int) -> None:
        rows = [
            [f"Group {g} |  |", *(f"Row {n} of {g} | 1{n},000 | 2{n},000" for n in range(s))]
            for g, s in enumerate(sizes)
        ]
        chunks = cut(table(self.HEADER, *itertools.chain(*rows)), max_tokens=most)
        told = [
            (one.text[:3], one.text.split(" | ")[0][-1:], one.group)
            for c in chunks
            for one in passage_sentences(c.text)
        ]
        assert [one[1:] for one in told if one[0] == "Row"] == [
            (str(g), f"Group {g} | |") for g, s in enumerate(sizes) for _ in range(s)
        ]

    def test_rows_behind_the_sum_of_a_group_stand_below_no_name(self) -> None:
        rows = ["Goods |  |", *self.ROWS, "Total goods | 1 | 2", *self.ROWS]
        chunks = cut(table(self.HEADER, *rows), max_tokens=100)
        at = next(n for n, c in enumerate(chunks) if "Total goods" in c.text)
        assert all(c.text.startswith(f"{self.HEADER}\nGoods |  |\n") for c in chunks[1 : at + 1])
        assert chunks[at + 1 :]
        assert all("Goods" not in c.text for c in chunks[at + 1 :])

    def test_a_name_that_fills_a_chunk_is_not_repeated(self) -> None:
        name = f"{'all goods that were sold ' * 6} |  |"
        chunks = cut(table(self.HEADER, name, *self.ROWS), max_tokens=100)
        assert sum(name in c.text for c in chunks) == 1

    def test_rows_that_read_like_a_header_are_repeated_where_the_format_counts_one(self) -> None:
        header = "Region | Years ended |  | Change\n | 2019 | 2018 | %"
        first, *rest = cut(table(header, *(f"Region {n} | 1{n},000 | 2{n},000 | {n}.5" for n in range(12))))
        assert first.text.startswith(f"{header}\nRegion 0 |")
        assert rest
        assert all(piece.text.startswith(f"{header}\nRegion ") for piece in rest)

    def test_header_rows_that_fill_a_chunk_are_not_repeated(self) -> None:
        long = "many words " * 30
        block = Block(BlockKind.table, "\n".join([self.HEADER, f"{long} | b | c", *self.ROWS]), header_rows=2)
        assert sum(long.strip() in piece.text for piece in cut(block, max_tokens=100)) <= 1

    def test_tables_are_numbered_by_page(self) -> None:
        pages = [Page(n, (table("a | b", "1 | 2"), text("x"), table("c | d"))) for n in (1, 2)]
        chunks = [c for c in chunk(pages, Chunking()) if c.table is not None]
        assert [(c.page, c.table) for c in chunks] == [(1, 0), (1, 1), (2, 0), (2, 1)]

    def test_a_row_longer_than_a_chunk_is_cut_under_its_header(self) -> None:
        chunks = cut(table("id | text", "7 | " + "many words " * 100))
        assert all(c.text.startswith("id | text\n") for c in chunks)
        assert all(estimate(c.text) <= 64 for c in chunks)

    def test_white_space_behind_a_header_swells_no_chunk(self) -> None:
        row = "row " * 20
        found = list(chunk([Page(1, (table("head\n" + " " * 500 + row),))], Chunking(max_tokens=32, overlap_tokens=0)))
        assert found[0].text == "head"
        assert all(c.text.startswith("head\nrow") for c in found[1:])
        assert max(len(c.text) for c in found) < 100

    def test_a_header_longer_than_half_a_chunk_is_not_repeated(self) -> None:
        header = " | ".join(f"column {n}" for n in range(30))
        chunks = cut(table(header, *("1 | 2 | 3",) * 40))
        assert squeezed(header) in squeezed("".join(c.text for c in chunks))
        assert all(estimate(c.text) <= 64 for c in chunks)


words = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    [
        PROSE,
        "Short.",
        "x" * 300,
        "\u4e2d\u6587\u3002" * 30,
        "a | b",
        "---|---",
        "\n\n",
        "  ",
        " " * 500,
        "1) one\n2) two",
        "Tableau: x:",
    ]
)
texts = st.lists(words, max_size=6).map(" ".join)
titles = st.sampled_from(["A", "B b", SEVEN, "ten words of a heading " * 2, "long " * 60])
blocks = st.builds(Block, st.sampled_from(BlockKind), texts, st.integers(0, 5)) | st.builds(
    Block, st.just(BlockKind.heading), titles, st.integers(1, 5)
)
documents = st.lists(st.lists(blocks, max_size=8).map(tuple), max_size=4).map(
    lambda pages: [Page(number, blocks) for number, blocks in enumerate(pages, 1)]
)
chunkings = st.integers(32, 200).flatmap(
    lambda most: st.builds(Chunking, max_tokens=st.just(most), overlap_tokens=st.integers(0, most // 2))
)


class TestAnyDocument:
    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(documents, chunkings)
    def test_the_promises_hold(self, pages: list[Page], chunking: Chunking) -> None:
        chunks = list(chunk(iter(pages), chunking))
        by_page = {page.number: page_text(page) for page in pages}
        assert [c.number for c in chunks] == list(range(len(chunks)))
        assert chunks == list(chunk(pages, chunking))
        for c in chunks:
            assert c.text.strip()
            place = by_page[c.page][c.start : c.end]
            assert c.text == place or (c.table is not None and c.text.endswith("\n" + place))
            rate = rate_of(by_page[c.page])
            assert estimate(c.embedded_text, rate) <= chunking.max_tokens
            assert len(c.embedded_text) <= chunking.max_tokens * 10 + 200
        for page in pages:
            assert not list(lost(page, chunks))

    @settings(max_examples=50, deadline=None)
    @given(st.text(max_size=3_000), chunkings)
    def test_any_text_is_covered(self, words: str, chunking: Chunking) -> None:
        page = Page(1, (text(words),))
        assert not list(lost(page, list(chunk([page], chunking))))


def lost(page: Page, chunks: list[Chunk]) -> Iterator[str]:
    """Blocks of the page that have a character in no chunk of it."""
    covered = bytearray(len(page_text(page)))
    for c in chunks:
        if c.page == page.number:
            covered[c.start : c.end] = b"\1" * (c.end - c.start)
    start = 0
    for block in page.blocks:
        missing = [at for at in range(start, start + len(block.text)) if not covered[at]]
        left = "".join(page_text(page)[at] for at in missing).strip()
        titles = {title for c in chunks for title in c.heading.split(" > ")}
        if (
            left
            and " ".join(block.text.split()) not in titles
            and not any(" ".join(block.text.split()) in c.heading for c in chunks)
        ):
            yield left
        start += len(block.text) + 2


@pytest.mark.parametrize(
    "words",
    [
        "." * 200_000,
        "a" * 1_000_000,
        "a. " * 100_000,
        "\u4e2d" * 200_000,
        "x\n" * 200_000,
        " " * 1_000_000,
        "(" * 200_000,
    ],
    ids=["dots", "letters", "sentences", "chinese", "lines", "spaces", "brackets"],
)
def test_no_text_takes_long(words: str) -> None:
    started = time.process_time()
    list(chunk([Page(1, (text(words), table(words)))], Chunking()))
    assert time.process_time() - started < 60  # seconds, where a quadratic step takes an hour
