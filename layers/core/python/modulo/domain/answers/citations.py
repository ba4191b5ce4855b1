"""Citation checking: a mark is kept only if the passage that it cites supports the statement.

The check compares words. It finds marks that name nothing, altered quotations, numbers and names from nowhere,
denials of what a passage affirms and the reverse, and statements about something else.
"""

from collections import deque
from collections.abc import Sequence
from functools import cache

from modulo.domain.answers.answer import Answer, AnswerDraft, CitedPassage
from modulo.domain.answers.entailment import Evidence, Excerpt, numbers_in, quotations
from modulo.domain.answers.outcome import NOT_FOUND
from modulo.domain.answers.statements import Statement, StatementReader
from modulo.domain.retrieval.passage import Passage
from modulo.domain.text.stemming import content_words

MAX_INTRODUCTION_WORDS = 5
"""Most content words of a sentence that only introduces what follows."""


def check_citations(draft: AnswerDraft, passages: Sequence[Passage], *, max_citations: int) -> Answer:
    """The draft with the marks that are supported, each with the supporting excerpt of its passage."""
    check = CitationCheck(passages, max_citations=max_citations)
    check.finish(draft.text)
    return check.answer


class CitationCheck:
    """The check of one draft, while it is written or at once, with the same result.

    A statement stays when one of its marks holds. One without a mark stays when a passage that the
    answer cites supports it, or when it is a short introduction, ending with a colon, of one that
    stays. Beyond `max_citations` passages, marks are left out but their statements stay.

    No quotation stays without a mark: it gets that of a cited passage which holds it, or is left out.

    A statement without a mark that only passages support which are not cited yet holds up what follows, until
    one of them is cited or the draft ends.
    """

    def __init__(self, passages: Sequence[Passage], *, max_citations: int) -> None:
        self._passages = passages
        self._max_citations = max_citations
        self._reader = StatementReader()
        self._undecided: deque[tuple[Statement, tuple[int, ...]]] = deque()
        """Statements with those of their marks that hold."""
        self._drafted = False
        self._excerpts: dict[int, Excerpt] = {}
        """Of the passages that the answer cites, by mark, in the order of their first citations."""
        self._text = ""
        self._space = ""
        """White space behind what was let through; it is held back, as an answer does not end with any."""
        self._evidence = cache(lambda mark: Evidence(passages[mark - 1]))

    def feed(self, text: str) -> str:
        """What of the answer is certain with this next part of the draft, and was not before."""
        statements = self._reader.feed(text)
        return self._judge(statements, ended=False) if statements else ""

    def finish(self, text: str = "", *, cut_short: bool = False) -> str:
        """The rest of the answer, once all of the draft was fed or its last part is this."""
        return self._judge([*self._reader.feed(text), *self._reader.finish(cut_short=cut_short)], ended=True)

    @property
    def cited(self) -> tuple[CitedPassage, ...]:
        """The passages that the answer cites so far."""
        return tuple(
            CitedPassage(mark, self._passages[mark - 1], found.text, found.start, found.end)
            for mark, found in self._excerpts.items()
        )

    @property
    def answer(self) -> Answer:
        """What was let through, with its citations."""
        if not self._excerpts:
            return Answer(NOT_FOUND, (), unverified=self._drafted)
        return Answer(self._text, self.cited)

    def _judge(self, statements: Sequence[Statement], *, ended: bool) -> str:
        for statement in statements:
            self._drafted = self._drafted or bool(statement.text.strip())
            self._undecided.append((statement, self._supported(statement)))
        parts = []
        while self._undecided and (part := self._decided(ended=ended)) is not None:
            self._undecided.popleft()
            parts.append(part)
        return self._let_through("".join(parts))

    def _supported(self, statement: Statement) -> tuple[int, ...]:
        """The marks whose passages support the statement; what they support of it is kept."""
        named = [mark for mark in statement.marks if 1 <= mark <= len(self._passages)]
        held = tuple(mark for mark in named if self._evidence(mark).supports(statement.text))
        for mark in held:
            if mark not in self._excerpts and len(self._excerpts) < self._max_citations:
                self._excerpts[mark] = self._evidence(mark).excerpt(statement.text)
        return held

    def _decided(self, *, ended: bool) -> str | None:
        """What becomes of the first undecided statement; None where that is not certain yet."""
        statement, held = self._undecided[0]
        if held:
            return self._told(statement, held)
        if statement.marks:
            return ""
        following = self._undecided[1] if len(self._undecided) > 1 else None
        if following and following[1] and _introduces(statement.text) and self._told(*following):
            return statement.text
        if any(self._evidence(mark).supports(statement.text) for mark in self._excerpts):
            return self._told(statement, ())
        return "" if ended or not self._may_still_be_supported(statement) else None

    def _told(self, statement: Statement, held: Sequence[int]) -> str:
        """The statement with those of its marks that are cited; a quotation without any gets one, or is left out."""
        marks = [mark for mark in held if mark in self._excerpts]
        if not marks and any(quotations(statement.text)):
            marks = [mark for mark in self._excerpts if self._evidence(mark).supports(statement.text)][:1]
            if not marks:
                return ""
        shown = "".join(f"[{mark}]" for mark in marks)
        return f"{statement.text} {shown}{statement.tail}" if shown else statement.text + statement.tail

    def _may_still_be_supported(self, statement: Statement) -> bool:
        """Whether a passage supports it that may yet be cited."""
        if len(self._excerpts) == self._max_citations:
            return False
        others = (mark for mark in range(1, len(self._passages) + 1) if mark not in self._excerpts)
        return any(self._evidence(mark).supports(statement.text) for mark in others)

    def _let_through(self, text: str) -> str:
        text = self._space + text if self._text else text.lstrip()
        shown = text.rstrip()
        self._space = text[len(shown) :] if shown or self._text else ""
        self._text += shown
        return shown


def supported_spans(text: str) -> dict[int, list[tuple[int, int]]]:
    """The spans of a checked answer that each of its marks closes, without the white space around them."""
    reader = StatementReader()
    found: dict[int, list[tuple[int, int]]] = {}
    at = 0
    for statement in [*reader.feed(text), *reader.finish()]:
        told = statement.text.strip()
        start = max(text.find(told, at), at)
        at = start + len(told)
        for mark in statement.marks:
            found.setdefault(mark, []).append((start, at))
    return found


def _introduces(text: str) -> bool:
    return text.rstrip().endswith(":") and not numbers_in(text) and len(content_words(text)) <= MAX_INTRODUCTION_WORDS
