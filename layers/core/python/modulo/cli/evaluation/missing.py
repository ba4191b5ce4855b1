"""What of a golden set a collection does not hold, so that no search can find it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from modulo.cli.evaluation.answer_match import Words
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.searches import Server

MAX_NAMED = 10
MAX_SHOWN_CHARACTERS = 60

File = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GoldenPassage:
    """An excerpt of a golden question, which is named by its id."""

    question: str
    excerpt: str

    def __str__(self) -> str:
        shown = self.excerpt[:MAX_SHOWN_CHARACTERS]
        return f"{self.question}: {shown}{'…' if shown != self.excerpt else ''}"


@dataclass(frozen=True, slots=True)
class Missing:
    """What a golden set names and no search of a collection can find."""

    documents: Sequence[str] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    """What those of the documents are called that a file has as an alias: golden sets use names and ids."""
    not_ready: Mapping[str, str] = field(default_factory=dict)
    """The stage of each document that is there, but not searchable."""
    passages: Sequence[GoldenPassage] = ()

    def __bool__(self) -> bool:
        return bool(self.documents or self.not_ready or self.passages)

    def as_json(self) -> Mapping[str, Any]:
        """How many of each there are, and which."""
        passages = [asdict(one) for one in self.passages]
        kinds: Mapping[str, list[Any]] = {
            "documents": list(self.documents),
            "not_ready": list(self.not_ready),
            "passages": passages,
        }
        return {kind: {"count": len(named), "items": named} for kind, named in kinds.items()}

    def lines(self) -> Iterator[str]:
        """How many of each there are, and the first of them."""
        if self.documents:
            named = [
                f"{one} (an alias of {self.aliases[one]})" if one in self.aliases else one for one in self.documents
            ]
            yield _line("document", "that the collection does not have", named)
        if self.not_ready:
            named = [f"{name} ({stage})" for name, stage in self.not_ready.items()]
            yield _line("document", "not ready to be searched", named)
        if self.passages:
            yield _line("passage", "that no document holds", list(map(str, self.passages)), separator="\n  ")


def missing_from(
    server: Server, collection_id: str, questions: Sequence[GoldenQuestion], *, concurrency: int = 1
) -> Missing:
    """What the questions name and no search of the collection can find.

    Raises:
        ServerRefused: the files or their passages cannot be read.
    """
    files = list(server.files(collection_id))
    there = {name: file for file in files for name in (file["name"], file["id"])}
    named = list(dict.fromkeys(name for question in questions for name in question.documents))
    absent = [name for name in named if name not in there]
    not_ready = {name: there[name]["stage"] for name in named if name in there and not _is_searchable(there[name])}
    aliases = {alias: file["name"] for file in files for alias in file.get("aliases", ())}
    return Missing(
        documents=absent,
        aliases={name: aliases[name] for name in absent if name in aliases},
        not_ready=not_ready,
        passages=_Texts(server, collection_id, there, concurrency).without(questions),
    )


class _Texts:
    """What stands in the collection's files."""

    def __init__(self, server: Server, collection_id: str, files: Mapping[str, File], concurrency: int) -> None:
        self._server = server
        self._collection_id = collection_id
        self._ids = {name: file["id"] for name, file in files.items() if _is_searchable(file)}
        self._concurrency = concurrency

    def without(self, questions: Sequence[GoldenQuestion]) -> list[GoldenPassage]:
        """The golden passages that no file holds; all files are read only for those that their question's do not."""
        likely = {
            GoldenPassage(question.id, excerpt): {self._ids[name] for name in question.documents if name in self._ids}
            for question in questions
            for excerpt in question.passages
        }
        rest = self._not_held(likely)
        return list(self._not_held(dict.fromkeys(rest, frozenset(self._ids.values()))))

    def _not_held(self, places: Mapping[GoldenPassage, Collection[str]]) -> Iterator[GoldenPassage]:
        """The passages that none of their files holds; each file is read once."""

        def held(file_id: str) -> list[GoldenPassage]:
            text = Words(joined(self._server.passages(self._collection_id, file_id)))
            return [one for one, ids in places.items() if file_id in ids and text.hold(one.excerpt)]

        ids = sorted({file_id for some in places.values() for file_id in some})
        with ThreadPoolExecutor(self._concurrency) as threads:
            found = {one for some in threads.map(held, ids) for one in some}
        return (one for one in places if one not in found)


def joined(texts: Sequence[str]) -> str:
    """Passages in their order as one text, in which what two neighbours share stands once."""
    text = "".join(texts[:1])
    for before, after in pairwise(texts):
        shared = next(n for n in range(min(len(before), len(after)), -1, -1) if before.endswith(after[:n]))
        text += after[shared:] if shared else f" {after}"
    return text


def _is_searchable(file: File) -> bool:
    return file.get("live_generation") is not None


def _line(noun: str, what: str, named: Sequence[str], *, separator: str = ", ") -> str:
    """How many there are, and the first of them."""
    count = len(named)
    shown = [*named[:MAX_NAMED], *([f"and {count - MAX_NAMED} more"] if count > MAX_NAMED else [])]
    return f"the golden set names {count} {noun}{'s' if count > 1 else ''} {what}: {separator.join(shown)}"
