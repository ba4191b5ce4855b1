"""Answers by any chat model of Amazon Bedrock, through its Converse API."""

from typing import Any

from modulo.adapters.bedrock_api import BedrockApi
from modulo.domain.answer import Draft, Prompt, Tokens
from modulo.domain.errors import BadModelAnswer
from modulo.domain.prompt import answer_of, messages, prompt_tokens


class BedrockGenerator:
    """`model` is the id or ARN of a model or of an inference profile."""

    def __init__(self, model: str, *, max_tokens: int, timeout: float) -> None:
        self.name = f"bedrock:{model}"
        self._model = model
        self._max_tokens = max_tokens
        self._api = BedrockApi(timeout=timeout, dependency="generator")

    def reserve(self, prompt: Prompt) -> int:
        """An estimate of the prompt, a quarter more to be safe, and the longest answer."""
        return prompt_tokens(prompt) * 5 // 4 + self._max_tokens

    def generate(self, prompt: Prompt) -> Draft:
        """The model's reply."""
        rules, question = messages(prompt)
        answer = self._api.call(
            lambda client: client.converse(
                modelId=self._model,
                system=[{"text": rules.content}],
                messages=[{"role": question.role, "content": [{"text": question.content}]}],
                inferenceConfig={"maxTokens": self._max_tokens, "temperature": 0},
            )
        )
        return _draft(answer)

    def ping(self) -> None:
        """Ask Bedrock for something that costs nothing."""
        self._api.ping()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def _draft(answer: Any) -> Draft:
    try:
        blocks = answer["output"]["message"]["content"]
        reply = "".join(block["text"] for block in blocks if "text" in block)  # thoughts are blocks of another kind
        tokens = Tokens(answer["usage"]["inputTokens"], answer["usage"]["outputTokens"])
        reason = answer["stopReason"]
    except (LookupError, TypeError):
        raise BadModelAnswer("The generator's answer does not have the form of a conversation.") from None
    cut_short = reason in ("max_tokens", "model_context_window_exceeded")
    if reason in ("content_filtered", "guardrail_intervened") or (not reply.strip() and not cut_short):
        raise BadModelAnswer("The generator declined to answer.")
    text = answer_of(reply, cut_short=cut_short)
    if cut_short and not text:
        raise BadModelAnswer("The generator ran out of tokens before its first sentence ended.")
    return Draft(text, tokens)
