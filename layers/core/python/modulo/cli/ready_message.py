"""What `modulo up` prints once everything is ready: the page first, then what to ask, who answers, and the API."""

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modulo.cli.sign_in import LINK_MINUTES

FURTHER_QUESTIONS = ("How many unused days of leave can be carried over?", "What is the limit for a hotel night?")
"""That the sample documents answer as well as the demo's own."""
LAST_LINE = "Ctrl-C stops everything; the data is kept."


@dataclass(frozen=True, slots=True)
class Ready:
    """What there is to tell.

    Attributes:
        page: the page's address, with a code that signs in once.
        url: the API's base URL.
        key: the demo's API key.
        answers: who writes the answers.
        demo: the collection of samples and its question; empty where it was deleted.
        others: how other machines reach this one, if they do.
    """

    page: str
    url: str
    key: str
    answers: str
    demo: Mapping[str, str]
    others: str | None = None

    def message(self) -> str:
        """The message, with commands to copy."""
        lines = [f"  Open     {self.page}", f"           (signs in once, within {LINK_MINUTES} minutes)", ""]
        if self.demo:
            questions = (self.demo["question"], *FURTHER_QUESTIONS)
            asked = [f"  {command()} ask demo {shlex.quote(question)}" for question in questions]
            lines += ["The collection demo holds sample documents. Ask them there, or in another terminal:", "", *asked]
            body = {"question": questions[0], "collection_id": self.demo["collection_id"]}
            example = self._curl("/search", body)
        else:
            lines += ["Make a collection there, or in another terminal:", "", f"  {command()} new 'my documents'"]
            example = self._curl("/collections", {"name": "my documents"})
        lines += ["", f"  Answers  {self.answers}", f"  API      {self.url}", f"  OpenAPI  {self.url}/openapi.json"]
        lines += [f"  API key  {self.key}", *([f"  Others   {self.others}"] if self.others else [])]
        return "\n".join([*lines, "", "By the API:", "", example, "", LAST_LINE, ""])

    def _curl(self, path: str, body: Mapping[str, object]) -> str:
        return " \\\n  ".join(
            (
                f"curl -s {self.url}{path}",
                f"-H {shlex.quote(f'Authorization: Bearer {self.key}')}",
                "-H 'Content-Type: application/json'",
                f"-d {shlex.quote(json.dumps(body))}",
            )
        )


def command() -> str:
    """How the `modulo` command beside this program is called from here."""
    path = Path(sys.executable).with_name("modulo")
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
