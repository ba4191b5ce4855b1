import pytest

from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.files.file import DocumentInfo

TEXT = Block(BlockKind.text, "The roof was mended in 1987.")
HEADING = Block(BlockKind.heading, "Sales plan", 1)
MADE_UP = [
    *(
        "Untitled Document",
        "Pr\u00e9sentation PowerPoint",
        "Classeur1",
        "\u6f14\u793a\u6587\u7a3f1",
        "Titre",
        "Bez tytu\u0142u",
    ),
    "PowerPoint Presentation",
    "Microsoft Word - Document1",
    "Untitled",
    "Unbenannt 2",
    "Slide 1",
    "untitled.docx",
]


def title(given: str | None, *blocks: Block) -> tuple[str | None, str | None]:
    """The title before and after the pages have been read."""
    document = OpenedDocument(DocumentInfo(title=given), lambda: iter([Page(1, blocks)]))
    before = document.info.title
    assert len(list(document.pages())) == 1
    return before, document.info.title


@pytest.mark.parametrize("given", MADE_UP)
def test_a_title_that_a_program_made_up(given: str) -> None:
    assert title(given, TEXT) == (None, None)
    assert title(given, HEADING, TEXT) == (None, "Sales plan")
    assert title(given, Block(BlockKind.heading, "Slide 1", 1), TEXT) == (None, None)


def test_a_title_that_somebody_chose_stays() -> None:
    assert title("Roof", HEADING, TEXT) == ("Roof", "Roof")
    assert title("Microsoft Word - Roof.docx", TEXT) == ("Roof", "Roof")


def test_a_document_without_a_title_goes_by_its_name() -> None:
    assert title(None, HEADING, TEXT) == (None, None)
