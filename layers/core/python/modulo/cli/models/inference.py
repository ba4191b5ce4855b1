"""Two transformer models on onnxruntime: an embedder and a reranker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from modulo.cli.models.weights import BGE_SMALL_EN, MS_MARCO_MINILM, Weights

MAX_TOKENS = 512
MAX_CHARACTERS = MAX_TOKENS * 64
"""Longer texts are truncated before tokenization, to bound its cost; a token averages 4 characters."""

Floats = NDArray[np.float32]
Text = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model. Thread-safe; each call uses one core."""

    name: str
    tokenizer: Tokenizer
    session: onnxruntime.InferenceSession
    finish: Callable[[Floats], Floats]

    def encode(self, texts: Sequence[Text]) -> list[Encoding]:
        """Tokenize texts, or pairs of texts, truncated to 512 tokens."""
        return self.tokenizer.encode_batch([_shortened(text) for text in texts])

    def run(self, encoding: Encoding) -> Floats:
        """The text's embedding, or the pair's relevance score."""
        inputs = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        (output,) = self.session.run(None, {name: np.array([ids], dtype=np.int64) for name, ids in inputs.items()})
        return self.finish(np.asarray(output[0], dtype=np.float32))


def _shortened(text: Text) -> Text:
    return text[:MAX_CHARACTERS] if isinstance(text, str) else (text[0][:MAX_CHARACTERS], text[1][:MAX_CHARACTERS])


def load_embedder() -> Model:
    """bge-small: the first token's state, normalised to length 1."""
    return _load(BGE_SMALL_EN, _unit_vector)


def load_reranker() -> Model:
    """A cross-encoder trained on MS MARCO: the sigmoid of its logit."""
    return _load(MS_MARCO_MINILM, _sigmoid)


def _load(weights: Weights, finish: Callable[[Floats], Floats]) -> Model:
    options = onnxruntime.SessionOptions()
    # One text per core, single-threaded, has more throughput than one text on all cores.
    # Spinning threads would only take CPU time from the others.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Input shapes vary: an arena would keep the largest allocation forever and is no faster.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    tokenizer = Tokenizer.from_file(str(weights.tokenizer.checked()))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    session = onnxruntime.InferenceSession(str(weights.graph.checked()), options, providers=["CPUExecutionProvider"])
    model = Model(weights.name, tokenizer, session, finish)
    model.run(model.encode(["warm"])[0])
    return model


def _unit_vector(states: Floats) -> Floats:
    first: Floats = states[0]
    unit: Floats = first / np.linalg.norm(first)
    return unit


def _sigmoid(logits: Floats) -> Floats:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)
