"""A model's reply, read while it is written: what of it is the answer."""

import re

from modulo.domain.answers.prompt import NO_ANSWER
from modulo.domain.text.unicode_text import repair

_THOUGHTS = ("<think>", "<thinking>")
_THOUGHTS_END = re.compile(r"</think(?:ing)?>")
_LONGEST_END = len("</thinking>")
_WORD = re.compile(r"\w")
_REFUSALS = (NO_ANSWER.lower(), "not found")


class ReplyReader:
    """Leaves out the thoughts before an answer and the reply that there is none, however a reply comes.

    Text is held back as long as it may be one of them. All that is let through, without white space at its end, is
    what `prompt.answer_of` makes of the whole reply.
    """

    def __init__(self) -> None:
        self._held = ""
        self._searched = 0
        """Where the end of the thoughts is still to be looked for."""
        self._thought = False
        """Whether the thoughts are over."""
        self._begun = False
        self._refused = False

    def feed(self, text: str) -> str:
        """What of the answer is certain with this next part of the reply."""
        text = repair(text)
        if self._begun:
            return text
        if self._refused:
            return ""
        self._held = (self._held + text).lstrip()
        if self._may_be_thought() or self._may_be_refusal(ended=False):
            return ""
        return self._begin()

    def finish(self) -> str:
        """The rest, at the end of the reply."""
        if self._begun or self._refused or self._may_be_refusal(ended=True):
            return ""
        return self._begin().rstrip()

    def _begin(self) -> str:
        self._begun = True
        return self._held

    def _may_be_thought(self) -> bool:
        """Whether what is held may begin with thoughts that are not over; takes off those that are."""
        if self._thought:
            return False
        if not self._held.startswith(_THOUGHTS):
            return any(mark.startswith(self._held) for mark in _THOUGHTS)
        end = _THOUGHTS_END.search(self._held, self._searched)
        if end is None:
            self._searched = max(0, len(self._held) - _LONGEST_END)
            return True
        self._thought = True
        self._held = self._held[end.end() :].lstrip()
        return False

    def _may_be_refusal(self, *, ended: bool) -> bool:
        """Whether what is held says that there is no answer, or may come to say so."""
        word = _WORD.search(self._held)
        if word is None:
            return not ended
        said = self._held[word.start() :].lower()
        if not ended and any(refusal.startswith(said) for refusal in _REFUSALS):
            return True
        named, spelled = _REFUSALS
        behind = said[len(named) : len(named) + 1]
        self._refused = (said.startswith(named) and not _WORD.match(behind)) or (
            ended and said.startswith(spelled) and not _WORD.search(said, len(spelled))
        )
        still_spelled = not ended and said.startswith(spelled) and not _WORD.search(said, len(spelled))
        return self._refused or still_spelled
