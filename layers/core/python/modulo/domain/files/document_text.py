"""Documents that are sent as texts."""

from typing import Annotated, Final

from pydantic import Field

from modulo.domain.files.attributes import Attributes
from modulo.domain.files.file import FileProblem, OnDuplicate
from modulo.domain.files.media import FILE_NAME
from modulo.domain.files.upload import UploadReceipt
from modulo.domain.model import FrozenModel
from modulo.domain.request_model import RequestModel

MAX_DOCUMENTS: Final = 100
"""Of one batch."""


class NewDocument(RequestModel):
    """A text to be ingested like a file of its name."""

    name: str = Field(
        json_schema_extra=FILE_NAME,
        description="as a file's: the same name again makes a new generation. Its extension says how the text is read "
        "(.md, .html, .csv …); a name without one is read as what the text looks like",
        examples=["notice-period.md"],
    )
    text: str = Field(min_length=1, description="up to 4 MB as UTF-8, unless the server is set otherwise")
    on_duplicate: OnDuplicate = OnDuplicate.existing
    attributes: Attributes | None = None


class NewDocuments(RequestModel):
    """Documents to be ingested, each with a name of its own."""

    documents: Annotated[tuple[NewDocument, ...], Field(min_length=1, max_length=MAX_DOCUMENTS)]


class AddedDocument(FrozenModel):
    """What became of one document of a batch: a receipt, or the problem for which nothing of it was kept."""

    name: str = Field(description="as it was sent")
    receipt: UploadReceipt | None = None
    problem: FileProblem | None = None


class AddedDocuments(FrozenModel):
    """What became of each document of a batch, in the order in which they were sent."""

    accepted: int = Field(description="how many have a receipt")
    failed: int = Field(description="how many have a problem")
    items: tuple[AddedDocument, ...]
