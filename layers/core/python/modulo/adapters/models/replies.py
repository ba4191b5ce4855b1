"""What language models reply, whole or in parts, held to what they were asked for and made a draft."""

from collections.abc import Container, Generator, Iterable
from typing import Any, Final, NamedTuple

from modulo.domain.answers.answer import AnswerDraft, DraftPart, Prompt, TokenUsage
from modulo.domain.answers.prompt import answer_of, prompt_tokens, whole_sentences
from modulo.domain.answers.reply import ReplyReader
from modulo.domain.errors import BadModelAnswer, Unavailable
from modulo.domain.text.tokens import WEIGHT_PER_TOKEN, Rate, estimate, weigh

CHARACTERS_PER_TOKEN: Final = 16
"""More than a token of any language and vocabulary has on the average."""


def reservation(prompt: Prompt, max_tokens: int) -> int:
    """The estimated tokens of the prompt, plus a quarter to be safe, plus the longest answer."""
    return prompt_tokens(prompt) * 5 // 4 + prompt.options.bound(max_tokens)


def draft_of(
    prompt: Prompt, reply: str, *, cut_short: bool, max_tokens: int, counted: TokenUsage | None = None
) -> AnswerDraft:
    """A whole reply as a draft; its tokens are estimated where the provider does not count them.

    A reply that is longer than was asked for is cut: a provider that ignores the limit must not make its caller check
    megabytes of text for citations.

    Raises:
        BadModelAnswer: it is empty, or was cut short before its first sentence ended by a bound that nobody asked for.
    """
    longest = prompt.options.bound(max_tokens) * CHARACTERS_PER_TOKEN
    if len(reply) > longest:
        reply, cut_short = reply[:longest], True
    if not reply.strip() and not cut_short:
        raise declined()
    text = answer_of(reply, cut_short=cut_short)
    if cut_short and not text and prompt.options.max_tokens is None:
        raise _too_short()
    return AnswerDraft(text, counted or TokenUsage(prompt_tokens(prompt), estimate(reply)), cut_short=cut_short)


class ReplyPart(NamedTuple):
    """What one event of a provider's stream says."""

    text: str = ""
    finish_reason: str | None = None
    """Why the model stopped, in the provider's own word; None while it writes."""
    counted: TokenUsage | None = None
    """The provider's own count of tokens, as far as this event tells it."""


def streamed_draft(
    prompt: Prompt,
    parts: Iterable[ReplyPart],
    *,
    max_tokens: int,
    cut_short: Container[str],
    declining: Container[str],
) -> Generator[DraftPart, None, None]:
    """A reply that comes in parts; the same rules as of a whole one.

    `cut_short` and `declining` are the provider's words for an answer that met a limit and for one that it refused.
    Parts are read no longer than the model may write.

    Raises:
        BadModelAnswer: as `draft_of`, or the model declined.
        Unavailable: the parts ended before the model did.
    """
    reply, reason = _StreamedReply(prompt, max_tokens=max_tokens), None
    for part in parts:
        reply.counted = part.counted or reply.counted
        reason = part.finish_reason or reason
        if reason is not None and reason in declining:
            raise declined()
        yield reply.part(part.text)
        if reply.full:
            break
    if reason is None and not reply.full:
        raise broken_off()
    yield reply.end(cut_short=reason is not None and reason in cut_short)


class _StreamedReply:
    """What a reply that comes in parts adds up to."""

    def __init__(self, prompt: Prompt, *, max_tokens: int) -> None:
        self._prompt_tokens = prompt_tokens(prompt)
        self._left = prompt.options.bound(max_tokens) * CHARACTERS_PER_TOKEN
        self._may_be_short = prompt.options.max_tokens is not None
        self._reader = ReplyReader()
        self._reply: list[str] = []
        self._weight = 0
        self.counted: TokenUsage | None = None
        """The provider's own count, as far as it told it."""

    @property
    def full(self) -> bool:
        """Whether the model wrote as much as it may: it need not be listened to any longer."""
        return self._left <= 0

    def part(self, text: str) -> DraftPart:
        """What is certain of the draft with this next text, which may be none."""
        text = text[: self._left]
        self._left -= len(text)
        if text:
            self._reply.append(text)
            self._weight += weigh(text, Rate.english)
        return DraftPart(self._reader.feed(text), self._tokens())

    def end(self, *, cut_short: bool) -> DraftPart:
        """The last part, with the tokens that the provider counted, if it did."""
        reply, cut_short = "".join(self._reply), cut_short or self.full
        if not reply.strip() and not cut_short:
            raise declined()
        if cut_short and not self._may_be_short and not whole_sentences(reply):
            raise _too_short()
        return DraftPart(self._reader.finish(), self._tokens(), cut_short=cut_short)

    def _tokens(self) -> TokenUsage:
        return self.counted or TokenUsage(self._prompt_tokens, -(-self._weight // WEIGHT_PER_TOKEN))


def usage_of(prompt: Any, completion: Any) -> TokenUsage | None:
    """A provider's count of tokens; None where it makes no sense."""
    try:
        found = TokenUsage(int(prompt), int(completion))
    except (TypeError, ValueError, OverflowError):
        return None
    return found if min(found.prompt, found.completion) >= 0 else None


def declined() -> BadModelAnswer:
    """A model that gives no answer at all."""
    return BadModelAnswer("The generator declined to answer.")


def broken_off() -> Unavailable:
    """A model that stopped in the middle of its answer."""
    return Unavailable("The generator broke off its answer.", dependency="generator")


def not_in_format(api: str) -> BadModelAnswer:
    """A provider that says something else than its API has it."""
    return BadModelAnswer(f"The generator's answer is not in the format of {api}.")


def _too_short() -> BadModelAnswer:
    return BadModelAnswer("The generator ran out of tokens before its first sentence ended.")
