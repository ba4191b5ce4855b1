"""Turns JSON values into blocks.

Flat objects become `name: value` lines, lists of similar records become tables, and names of members headings.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import TypeAlias, TypeGuard

from modulo.adapters.parsing.table_blocks import table_blocks
from modulo.adapters.parsing.text_decoding import clean, one_line
from modulo.domain.documents.document import Block, BlockKind
from modulo.domain.errors import CorruptFile, OversizedFile

MAX_DEPTH = 64
MAX_WRITTEN = 64 * 1024**2  # characters: the path written before each value may blow up a small file
_MAX_HEADING_LEVEL = 4
_MAX_NAME_LENGTH = 120
_MAX_PATH_LENGTH = 240
_MAX_COLUMNS = 50
_MAX_CELL_LENGTH = 300  # longer texts are easier to read as `name: value` lines

Json: TypeAlias = "str | bool | Sequence[Json] | Mapping[str, Json] | None"

# Numbers stay as they are written, so that none is too large and none loses a digit.
_DECODER = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


def parse_json(text: str) -> Json:
    """The value that a text holds; numbers are texts.

    Raises:
        CorruptFile: the text is not valid JSON, or nested too deeply.
    """
    try:
        value: Json = _DECODER.decode(text)
    except JSONDecodeError as error:
        raise CorruptFile(
            f"The file is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError:
        raise _too_deep() from None
    return value


@dataclass(slots=True)
class JsonBlockWriter:
    """Turns the values of one document into blocks, at most `MAX_WRITTEN` characters in all."""

    written: int = 0

    def blocks(self, value: Json, *, level: int = 1) -> Iterator[Block]:
        """The blocks of a value whose headings start at `level`.

        Raises:
            CorruptFile: the value is nested more than `MAX_DEPTH` deep.
            OversizedFile: the blocks come to more than `MAX_WRITTEN`.
        """
        if isinstance(value, Mapping) and level <= _MAX_HEADING_LEVEL:
            yield from self._members(value, level)
        elif _is_list(value) and any(isinstance(item, Mapping) for item in value):
            yield from self._records(value)
        else:
            yield from self.record(value)

    def record(self, value: Json) -> Iterator[Block]:
        """The whole value as one block."""
        if text := "\n".join(self._lines(value, "", 0)):
            yield Block(BlockKind.text, text)

    def _members(self, value: Mapping[str, Json], level: int) -> Iterator[Block]:
        """First the flat members of an object as one block, then each other member under its name as heading."""
        flat = {name: member for name, member in value.items() if _is_flat(member)}
        yield from self.record(flat)
        for name, member in value.items():
            if name not in flat:
                below = list(self.blocks(member, level=level + 1))
                title = _shortened(name)
                if below and title:
                    yield Block(BlockKind.heading, title, level)
                yield from below

    def _records(self, items: Sequence[Json]) -> Iterator[Block]:
        names = _columns(items)
        if not names:
            for item in items:
                yield from self.record(item)
            return
        rows = [[_shortened(name) for name in names]]
        rows += [[_scalar(item.get(name)) for name in names] for item in items if isinstance(item, Mapping)]
        for block in table_blocks(rows):
            self._count(block.text)
            yield block

    def _lines(self, value: Json, path: str, depth: int) -> Iterator[str]:
        if depth > MAX_DEPTH:
            raise _too_deep()
        if isinstance(value, Mapping):
            for name, member in value.items():
                yield from self._lines(member, _join_path(path, _shortened(name)), depth + 1)
        elif _is_list(value) and not _is_flat(value):
            for number, member in enumerate(value, 1):
                yield from self._lines(member, _join_path(path, str(number)), depth + 1)
        else:
            text = ", ".join(filter(None, map(_scalar, value))) if _is_list(value) else _scalar(value)
            if text:
                line = f"{path}: {text}" if path else text
                self._count(line)
                yield line

    def _count(self, text: str) -> None:
        self.written += len(text)
        if self.written > MAX_WRITTEN:
            raise OversizedFile(f"The values and their names come to more than {MAX_WRITTEN} characters.")


def _is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    return isinstance(value, list)


def _is_flat(value: Json) -> bool:
    """Whether the value fits on one line: it is no object, and no list of lists or objects."""
    if isinstance(value, list):
        return not any(isinstance(item, list | dict) for item in value)
    return not isinstance(value, dict)


def _columns(items: Sequence[Json]) -> list[str]:
    """The names of the members, if the items make a table: all are objects with few members, flat and short."""
    names: dict[str, None] = {}
    for item in items:
        if not isinstance(item, Mapping) or len(names) > _MAX_COLUMNS:
            return []
        names.update(dict.fromkeys(item))
        if any(isinstance(m, list | dict) or (isinstance(m, str) and len(m) > _MAX_CELL_LENGTH) for m in item.values()):
            return []
    filled = sum(len(item) for item in items if isinstance(item, Mapping))
    fits = len(items) > 1 and 1 < len(names) <= _MAX_COLUMNS and 2 * filled >= len(names) * len(items)
    return list(names) if fits else []


def _scalar(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(value).strip() if isinstance(value, str) else ""


def _shortened(name: str) -> str:
    return one_line(name[: 4 * _MAX_NAME_LENGTH])[:_MAX_NAME_LENGTH]


def _join_path(path: str, name: str) -> str:
    """The path to a member; a long one loses its start, as its end is more specific."""
    whole = f"{path}.{name}" if path and name else path or name
    return whole if len(whole) <= _MAX_PATH_LENGTH else f"\u2026{whole[-_MAX_PATH_LENGTH:]}"


def _too_deep() -> CorruptFile:
    return CorruptFile(f"The values are nested more than {MAX_DEPTH} deep; the file cannot be read.")
