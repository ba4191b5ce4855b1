"""Two transformer models on onnxruntime: texts to vectors, and pairs of texts to relevance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from modulo.cli.models.weights import BGE_SMALL_EN, MS_MARCO_MINILM, Weights

MAX_TOKENS = 512
# Longer texts are cut before they are tokenized, which bounds its cost: a token averages 4 characters.
MAX_CHARACTERS = MAX_TOKENS * 64

Floats = NDArray[np.float32]
Text = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model; any number of threads may call it at once, each keeping one core busy."""

    name: str
    tokenizer: Tokenizer
    session: onnxruntime.InferenceSession
    finish: Callable[[Floats], Floats]

    def encode(self, texts: Sequence[Text]) -> list[Encoding]:
        """The texts, or pairs of texts, as tokens; cut to 512."""
        return self.tokenizer.encode_batch([_shortened(text) for text in texts])

    def run(self, encoding: Encoding) -> Floats:
        """The text's vector, or the pair's relevance."""
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
    # As many texts at once as there are cores, one thread each, do more work for the same CPU time than
    # one text on all cores. Threads that spin would only disturb others.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Shapes differ from batch to batch: an arena would keep the largest for ever and is no faster.
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
