"""The progress of files, as subscribers receive it."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from modulo.domain.files.file import File, FileProblem, Stage
from modulo.domain.files.reading import ReadingWarning
from modulo.domain.model import FrozenModel


class FileProgress(FrozenModel):
    """The state of a file, sent whenever it changes. A file that is `deleting` is gone."""

    file_id: UUID
    name: str
    stage: Stage
    generation: int
    pages_done: int
    pages_total: int | None
    chunk_count: int | None
    problem: FileProblem | None
    next_attempt_at: datetime | None
    scanned_pages: tuple[int, ...] | None
    recognised_pages: tuple[int, ...] | None
    warnings: tuple[ReadingWarning, ...] | None
    estimated_ready_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, file: File) -> "FileProgress":
        """The progress of a file."""
        return cls(
            file_id=file.id,
            name=file.name,
            stage=file.stage,
            generation=file.generation,
            pages_done=file.pages_done,
            pages_total=file.pages_total,
            chunk_count=file.chunk_count,
            problem=file.problem,
            next_attempt_at=file.next_attempt_at,
            scanned_pages=file.document.scanned_pages,
            recognised_pages=file.document.recognised_pages,
            warnings=file.document.warnings,
            estimated_ready_at=file.estimated_ready_at,
            updated_at=file.updated_at,
        )


class Snapshot(FrozenModel):
    """The files at the beginning of a subscription, in the order of their last changes."""

    files: tuple[FileProgress, ...]
    complete: bool = Field(description="false where older files are left out")
