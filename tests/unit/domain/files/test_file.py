"""What the parts of a document say together."""

from modulo.domain.files.file import MAX_HEADINGS, MAX_LISTED_PAGES, DocumentInfo


def test_parts_speak_as_the_first_with_the_headings_and_scans_of_all() -> None:
    first = DocumentInfo(title="Report", language="de", headings=("A", "B"), scanned_pages=(2,))
    others = [
        DocumentInfo(language="en", headings=("B", "C"), scanned_pages=(7,)),
        DocumentInfo(language="en"),
        DocumentInfo(title="Other"),
    ]
    assert DocumentInfo.together([first, *others]) == DocumentInfo(
        title="Report", language="en", headings=("A", "B", "C"), scanned_pages=(2, 7)
    )


def test_parts_that_say_nothing_say_nothing_together() -> None:
    assert DocumentInfo.together([DocumentInfo(), DocumentInfo()]) == DocumentInfo()


def test_only_the_first_headings_and_scans_are_kept() -> None:
    long = DocumentInfo(headings=tuple(map(str, range(12))), scanned_pages=tuple(range(100)))
    more = DocumentInfo(headings=("x",), scanned_pages=(1_000,))
    together = DocumentInfo.together([long, more])
    assert len(together.headings or ()) == MAX_HEADINGS
    assert len(together.scanned_pages or ()) == MAX_LISTED_PAGES
