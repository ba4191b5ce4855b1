"""Every regular expression of the product takes time in proportion to its input, whatever that holds.

Each is given strings made from its own parts: every repetition in it is pumped, behind whatever must come before it
and in front of something that makes the match fail, which is where backtracking shows.
"""

import ast
import importlib
import pkgutil
import re
import re._constants as op
import re._parser as parser
import signal
from collections.abc import Iterator
from time import thread_time
from typing import Any

import pytest

import modulo
from tests.architecture.sources import PACKAGE, modules

SHORT = 1_000
FACTOR = 8
TOLERANCE = 3.5
"""Times the growth of the input: a quadratic match grows by eight times that of a linear one."""
FLOOR_SECONDS = 0.02
"""What takes less for the long input is fast enough not to be compared."""
LIMIT_SECONDS = 2.0
LOOKS = 4
"""At one that seems to take too long: the machine's caches and other programs make single ones slow."""
SCANNING = {"search", "sub", "subn", "split", "findall", "finditer"}
FUNCTIONS = SCANNING | {"match", "fullmatch"}
MATCHED = {f"adapters.parsing.code_parser.{name}" for name in ("_DEFINITION", "_KEY", "_STATEMENT")}
"""Passed on as arguments, and matched at the beginning of a line of at most 2,000 characters."""


def patterns() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    """Each with its place, and whether it is looked for anywhere in a text or only at one place."""
    for path in modules("layers/core/python/modulo"):
        tree = ast.parse(path.read_text())
        place = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if place.startswith("cli."):
            continue  # reads only what we wrote
        used: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used.setdefault(node.value.id, set()).add(node.attr)
            if isinstance(node, ast.Call) and _is_inline(node):
                assert isinstance(node.args[0], ast.Constant), f"{place}:{node.lineno}: compile it at module level"
                method = node.func.attr  # type: ignore[attr-defined]  # checked above
                yield f"{place}:{node.lineno}", re.compile(node.args[0].value), method in SCANNING
        if "re" in {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}:
            module = importlib.import_module(f"modulo.{place}".removesuffix(".__init__"))
            for name, value in vars(module).items():
                for found in _in(value):
                    methods = used.get(name, set()) & FUNCTIONS
                    scanning = f"{place}.{name}" not in MATCHED and (not methods or bool(methods & SCANNING))
                    yield f"{place}.{name}", found, scanning


def _is_inline(node: ast.Call) -> bool:
    function = node.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr in FUNCTIONS
    )


def _in(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _in(inner)
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from _in(inner)


def sample(tree: Any) -> str:
    """A string that the parsed expression matches, with repetitions as short as they may be but one long."""
    return "".join(_sample(kind, argument) for kind, argument in tree)


def _sample(kind: Any, argument: Any) -> str:
    if kind is op.LITERAL:
        return chr(argument)
    if kind is op.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    if kind is op.ANY:
        return "x"
    if kind is op.IN:
        return _member(argument)
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return sample(argument[2]) * max(1, min(argument[0], 3))
    if kind is op.SUBPATTERN:
        return sample(argument[-1])
    if kind is op.ATOMIC_GROUP:
        return sample(argument)
    if kind is op.BRANCH:
        return sample(argument[1][0])
    if kind is op.ASSERT:
        return ""
    return ""


def _member(choices: Any) -> str:
    negated = bool(choices) and choices[0][0] is op.NEGATE
    candidates = " \t\naA0_-.,;:?[]()<>\"'/é文\u00a0"
    found = re.compile("[" + ("^" if negated else "") + "".join(_spelt(choice) for choice in choices) + "]")
    firsts = [chr(argument) for kind, argument in choices if kind is op.LITERAL and not negated]
    firsts += [chr(argument[0]) for kind, argument in choices if kind is op.RANGE and not negated]
    return next((letter for letter in (*firsts, *candidates) if found.fullmatch(letter)), "x")


def _spelt(choice: tuple[Any, Any]) -> str:
    kind, argument = choice
    if kind is op.LITERAL:
        return re.escape(chr(argument))
    if kind is op.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    if kind is op.CATEGORY:
        names = {
            op.CATEGORY_DIGIT: r"\d",
            op.CATEGORY_NOT_DIGIT: r"\D",
            op.CATEGORY_SPACE: r"\s",
            op.CATEGORY_NOT_SPACE: r"\S",
            op.CATEGORY_WORD: r"\w",
            op.CATEGORY_NOT_WORD: r"\W",
        }
        return names[argument]
    return ""


def repetitions(tree: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Each repetition without a small bound: what must come before it, and what it repeats."""
    for kind, argument in tree:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            if argument[1] > 64:
                yield before, sample(argument[2])
            yield from repetitions(argument[2], before)
        elif kind is op.SUBPATTERN:
            yield from repetitions(argument[-1], before)
        elif kind is op.ATOMIC_GROUP:
            yield from repetitions(argument, before)
        elif kind is op.BRANCH:
            for branch in argument[1]:
                yield from repetitions(branch, before)
        elif kind in (op.ASSERT, op.ASSERT_NOT):
            yield from repetitions(argument[1], before)
        before += _sample(kind, argument)


GENERAL = (*' \n\ta0.-_<[(";文', "A ", "0.", "0,", "a.", " and ", "[1", "«")
"""What pumps any pattern."""
ENDS = ("", "\x00", "!", "\n\x00", "a\x00")


def attacks(pattern: re.Pattern[Any], size: int) -> Iterator[str]:
    """Strings of about that many characters."""
    source = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    pumps = {(before, atom) for before, atom in repetitions(parser.parse(source, pattern.flags & ~re.UNICODE)) if atom}
    pumps |= {("", atom) for _, atom in pumps} | {(before, letter) for before, _ in pumps for letter in (" ", "a", "0")}
    pumps |= {("", atom) for atom in GENERAL}
    pumps |= {("", before + atom) for before, atom in pumps if before}
    for before, atom in sorted(pumps):
        body = atom * (size // len(atom))
        for end in ENDS:
            yield before + body + end


class TooSlowError(Exception):
    """A match was interrupted, which the engine allows every few thousand steps."""


def _interrupt(_signal: int, _frame: Any) -> None:
    raise TooSlowError


def seconds(pattern: re.Pattern[Any], text: str, *, scanning: bool) -> float:
    """Of this thread, at best of two; infinity where it takes longer than the limit."""
    before = signal.signal(signal.SIGVTALRM, _interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_SECONDS)
    try:
        return _seconds(pattern, text, scanning=scanning)
    except TooSlowError:
        return float("inf")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _seconds(pattern: re.Pattern[Any], text: str, *, scanning: bool) -> float:
    subject: Any = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    best = float("inf")
    for _ in range(2):
        started = thread_time()
        if scanning:
            for _found in pattern.finditer(subject):
                pass
        else:
            pattern.match(subject)
            pattern.fullmatch(subject)
        best = min(best, thread_time() - started)
        if best < FLOOR_SECONDS:
            break
    return best


def growth(pattern: re.Pattern[Any], short: str, long: str, *, scanning: bool) -> float:
    """How many times as long the long input takes as the short one; 0 where that is fast enough for any."""
    taken = seconds(pattern, long, scanning=scanning)
    return taken / max(seconds(pattern, short, scanning=scanning), 1e-5) if taken >= FLOOR_SECONDS else 0.0


FOUND = sorted({(place, pattern, scanning) for place, pattern, scanning in patterns()}, key=lambda found: found[0])


def test_all_are_found() -> None:
    assert len(FOUND) > 90
    assert len({name for _, name, _ in pkgutil.walk_packages(modulo.__path__, "modulo.")}) > 100


@pytest.mark.parametrize(("place", "pattern", "scanning"), FOUND, ids=[found[0] for found in FOUND])
def test_it_takes_time_in_proportion_to_its_input(place: str, pattern: re.Pattern[Any], scanning: bool) -> None:
    for short, long in zip(attacks(pattern, SHORT), attacks(pattern, SHORT * FACTOR), strict=True):
        growths = (growth(pattern, short, long, scanning=scanning) for _ in range(LOOKS))
        assert any(found < FACTOR * TOLERANCE for found in growths), f"{place}: {short[:40]!r}… takes too long"
