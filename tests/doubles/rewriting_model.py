"""A language model that rewrites every question to the same one, and answers from its first passage."""

from collections.abc import Iterator

from modulo.domain.answers.answer import AnswerDraft, DraftPart, Prompt, TokenUsage


class RewritingModel:
    """A metered generator; its answer has as many words as it may have."""

    name = "openai:scripted"

    def __init__(self, rewritten: str = "How deep is the sea?") -> None:
        self.rewritten = rewritten
        self.prompts: list[Prompt] = []

    def reserve(self, _prompt: Prompt) -> int:
        return 100

    def generate(self, prompt: Prompt) -> AnswerDraft:
        if prompt.asks_to_rewrite:
            self.prompts.append(prompt)
            return AnswerDraft(self.rewritten, TokenUsage(7, 2))
        [part] = self.stream(prompt)
        # A whole draft ends with its last whole sentence, and this one has a single sentence.
        return AnswerDraft("" if part.cut_short else part.text, part.tokens, cut_short=part.cut_short)

    def stream(self, prompt: Prompt) -> Iterator[DraftPart]:
        self.prompts.append(prompt)
        words = f"{prompt.passages[0].text} [1]".split(" ")
        kept = words[: prompt.options.bound(100)]
        yield DraftPart(" ".join(kept), TokenUsage(20, len(kept)), cut_short=len(kept) < len(words))
