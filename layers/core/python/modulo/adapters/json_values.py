"""JSON's values as passages: what is flat as `name: value` lines, equal records as tables, the path as headings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import TypeAlias, TypeGuard

from modulo.adapters.decoding import clean, one_line
from modulo.adapters.tabulating import table_blocks
from modulo.domain.document import Block, BlockKind
from modulo.domain.errors import CorruptFile, OversizedFile

MAX_DEPTH = 64
MAX_WRITTEN = 64 * 1024**2  # characters: the path before each value may swell a small file
_DEEPEST_HEADING = 4
_LONGEST_NAME = 120
_LONGEST_PATH = 240
_WIDEST_TABLE = 50
_LONGEST_CELL = 300  # longer texts are read better beside their names

Json: TypeAlias = "str | bool | Sequence[Json] | Mapping[str, Json] | None"

# Numbers stay as they are written: none is too large, none loses a digit.
_DECODER = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


def json_value(text: str) -> Json:
    """The value that a text holds.

    Raises:
        CorruptFile: it is no JSON, or nested too deeply.
    """
    try:
        value: Json = _DECODER.decode(text)
    except JSONDecodeError as error:
        raise CorruptFile(f"The file is no JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from error
    except RecursionError:
        raise _too_deep() from None
    return value


@dataclass(slots=True)
class Writer:
    """Turns the values of one document into blocks, within bounds."""

    written: int = 0

    def blocks(self, value: Json, *, level: int = 1) -> Iterator[Block]:
        """The blocks of a value below headings of `level` - 1.

        Raises:
            CorruptFile: it is nested too deeply.
            OversizedFile: there is too much to write.
        """
        if isinstance(value, Mapping) and level <= _DEEPEST_HEADING:
            yield from self._members(value, level)
        elif _is_list(value) and any(isinstance(item, Mapping) for item in value):
            yield from self._records(value)
        else:
            yield from self.record(value)

    def record(self, value: Json) -> Iterator[Block]:
        """One block that holds all of the value."""
        if text := "\n".join(self._lines(value, "", 0)):
            yield Block(BlockKind.text, text)

    def _members(self, value: Mapping[str, Json], level: int) -> Iterator[Block]:
        """First what an object says of itself, then each part under its name."""
        plain = {name: member for name, member in value.items() if _is_flat(member)}
        yield from self.record(plain)
        for name, member in value.items():
            if name not in plain:
                below = list(self.blocks(member, level=level + 1))
                title = _named(name)
                if below and title:
                    yield Block(BlockKind.heading, title, level)
                yield from below

    def _records(self, items: Sequence[Json]) -> Iterator[Block]:
        names = _columns(items)
        if not names:
            for item in items:
                yield from self.record(item)
            return
        rows = [[_named(name) for name in names]]
        rows += [[_scalar(item.get(name)) for name in names] for item in items if isinstance(item, Mapping)]
        for block in table_blocks(rows):
            self._count(block.text)
            yield block

    def _lines(self, value: Json, path: str, depth: int) -> Iterator[str]:
        if depth > MAX_DEPTH:
            raise _too_deep()
        if isinstance(value, Mapping):
            for name, member in value.items():
                yield from self._lines(member, _below(path, _named(name)), depth + 1)
        elif _is_list(value) and not _is_flat(value):
            for number, member in enumerate(value, 1):
                yield from self._lines(member, _below(path, str(number)), depth + 1)
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
    """Whether it fits into one line: no object, no list of such."""
    if isinstance(value, list):
        return not any(isinstance(item, list | dict) for item in value)
    return not isinstance(value, dict)


def _columns(items: Sequence[Json]) -> list[str]:
    """The names that the records have, if they make a table: all objects with few, plain, short members."""
    names: dict[str, None] = {}
    for item in items:
        if not isinstance(item, Mapping) or len(names) > _WIDEST_TABLE:
            return []
        names.update(dict.fromkeys(item))
        if any(isinstance(m, list | dict) or (isinstance(m, str) and len(m) > _LONGEST_CELL) for m in item.values()):
            return []
    filled = sum(len(item) for item in items if isinstance(item, Mapping))
    fits = len(items) > 1 and 1 < len(names) <= _WIDEST_TABLE and 2 * filled >= len(names) * len(items)
    return list(names) if fits else []


def _scalar(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(value).strip() if isinstance(value, str) else ""


def _named(name: str) -> str:
    return one_line(name[: 4 * _LONGEST_NAME])[:_LONGEST_NAME]


def _below(path: str, name: str) -> str:
    """The path to a member; of a long one the end, which tells most."""
    whole = f"{path}.{name}" if path and name else path or name
    return whole if len(whole) <= _LONGEST_PATH else f"\u2026{whole[-_LONGEST_PATH:]}"


def _too_deep() -> CorruptFile:
    return CorruptFile(f"The values are nested more than {MAX_DEPTH} deep, which is not read.")
