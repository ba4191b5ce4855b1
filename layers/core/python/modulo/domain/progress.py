"""What those who watch a collection are told of its files."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from modulo.domain.file import File, FileProblem, Stage
from modulo.domain.value import Value


class FileProgress(Value):
    """How far a file has come; told again whenever it has changed. One that is `deleting` is gone."""

    file_id: UUID
    name: str
    stage: Stage
    generation: int
    pages_done: int
    pages_total: int | None
    chunk_count: int | None
    problem: FileProblem | None
    scanned_pages: tuple[int, ...] | None
    recognised_pages: tuple[int, ...] | None
    estimated_ready_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, file: File) -> "FileProgress":
        """That of a file."""
        return cls(
            file_id=file.id,
            name=file.name,
            stage=file.stage,
            generation=file.generation,
            pages_done=file.pages_done,
            pages_total=file.pages_total,
            chunk_count=file.chunk_count,
            problem=file.problem,
            scanned_pages=file.document.scanned_pages,
            recognised_pages=file.document.recognised_pages,
            estimated_ready_at=file.estimated_ready_at,
            updated_at=file.updated_at,
        )


class Snapshot(Value):
    """What there is when somebody begins to watch, in the order of the last changes."""

    files: tuple[FileProgress, ...]
    complete: bool = Field(description="false where there are more files, which did not change for longer")
