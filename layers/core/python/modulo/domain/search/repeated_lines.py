"""Lines of the answers to several parts of a question, each told once: two years of one row are quoted once."""

from modulo.domain.search.search import MARK


class RepeatedLines:
    """Leaves out cited lines that the answer to an earlier part has; the same however the answers come.

    A line is held back only as long as it may be one of those.
    """

    def __init__(self) -> None:
        self._told: set[str] = set()
        """Cited lines of earlier parts."""
        self._of_part: set[str] = set()
        self._line = ""
        """What is known of the line that has not ended."""
        self._shown = 0
        """How much of it was let through, with what stands before it."""
        self._begun = False
        """Whether any line was let through, so that the next one begins behind a line break."""

    def feed(self, text: str) -> str:
        """What of the joined answers is certain with this next part of one, and was not before."""
        *ended, rest = text.split("\n")
        found = [self._end_line(line) for line in ended]
        self._line += rest
        if self._line and not any(told.startswith(self._line) for told in self._told):
            found.append(self._show())
        return "".join(found)

    def end_part(self) -> str:
        """The rest of the answer to a part."""
        rest = self._end_line("") if self._line else ""
        self._told |= self._of_part
        self._of_part = set()
        return rest

    def _end_line(self, rest: str) -> str:
        """The rest of a line that has ended."""
        self._line += rest
        shown = "" if self._line in self._told else self._show()
        if MARK.search(self._line):
            self._of_part.add(self._line)
        self._line, self._shown = "", 0
        return shown

    def _show(self) -> str:
        """What of the line was not let through yet."""
        before = "\n" if self._begun and not self._shown else ""
        shown, self._shown, self._begun = self._line[self._shown :], len(self._line), True
        return before + shown
