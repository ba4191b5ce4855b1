"""Commands that ask."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from modulo_client.command.connection import Json, Key, Name, Url, collection_named, connected, fail
from modulo_client.command.printing import note, out, print_answered, print_found, print_json
from modulo_client.models import Answer, File
from modulo_client.sync.collections import Collection

Words = Annotated[list[str], typer.Argument(metavar="WORDS", help="of one question; quotes around it are optional")]
TopK = Annotated[int | None, typer.Option(min=1, help="passages to find")]


def _filters(written: str) -> dict[str, Any]:
    try:
        read = json.loads(written)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise typer.BadParameter("""it is no JSON object such as '{"source": "report.pdf"}'""")
    return read


Filters = Annotated[
    dict[str, Any] | None,
    typer.Option(parser=_filters, metavar="JSON", help="""only such passages, as '{"source": "report.pdf"}'"""),
]


def ask(
    collection: Name,
    question: Words,
    *,
    top_k: TopK = None,
    filters: Filters = None,
    open_: Annotated[int | None, typer.Option("--open", min=1, help="open the file of this citation")] = None,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Answer a question from a collection, with numbered citations, while the answer is written."""
    with connected(url, key) as modulo:
        papers = collection_named(modulo, collection)
        if as_json:
            print_json(papers.ask(" ".join(question), top_k=top_k, filters=filters))
            return
        answer = _stream(papers, " ".join(question), top_k=top_k, filters=filters)
        if open_ is not None:
            cited = next((one for one in answer.citations if one.mark == open_), None)
            if cited is None:
                fail(f"the answer has no citation [{open_}]")
            _open_file(papers, papers.files.get(cited.document_id))


def _stream(papers: Collection, question: str, **options: Any) -> Answer:
    with papers.ask(question, stream=True, **options) as stream:
        for text in stream:
            out.print(escape(text), end="")
    answer = stream.read()
    out.print()
    print_answered(answer)
    return answer


def _open_file(papers: Collection, file: File) -> None:
    path = Path(typer.get_app_dir("modulo")) / "opened" / str(file.id) / Path(file.name).name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(papers.files.content(file.id))
    out.print(f"[dim]{escape(str(path))}[/dim]")
    webbrowser.open(path.as_uri())


def chat(collection: Name, *, url: Url = None, key: Key = None, as_json: Json = False) -> None:
    """Ask question after question, each understood by those before; an empty line ends it."""
    with connected(url, key) as modulo:
        papers = collection_named(modulo, collection)
        talk = modulo.conversations.create(collection_id=papers.id)
        while question := typer.prompt("?", default="", show_default=False, prompt_suffix=" ", err=as_json).strip():
            asked = talk.ask(question)
            if as_json:
                print_json(asked)
                continue
            answer = asked.search
            out.print(escape(answer.answer or ""))
            print_answered(answer)


def search(
    collection: Name,
    query: Words,
    *,
    top_k: TopK = None,
    filters: Filters = None,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show the passages nearest to a query, without an answer."""
    with connected(url, key) as modulo:
        papers = collection_named(modulo, collection)
        found = papers.ask(" ".join(query), retrieve_only=True, top_k=top_k, filters=filters)
    if as_json:
        print_json(found.query_results)
        return
    if not found.query_results:
        note("No passage comes near: ask in other words, or see with `modulo status` whether the files are ready.")
    print_found(found)
