"""A chat bot: what is typed is asked in one conversation, which is kept on the server. Run it with a collection."""

import sys

from modulo_client import Modulo, ModuloError


def reply(conversation, text: str) -> str:
    """The answer with the titles that it cites; replace `input` and `print` below to put it behind any chat."""
    answer = conversation.ask(text).search
    sources = dict.fromkeys(one.title for one in answer.citations)
    return "\n".join([answer.answer or "", *(f"- {title}" for title in sources)])


if __name__ == "__main__":
    with Modulo() as modulo:  # MODULO_URL and MODULO_API_KEY
        talk = modulo.conversations.create(collection_id=modulo.collections.get(sys.argv[1]).id, title="chat bot")
        for line in sys.stdin:
            try:
                print(reply(talk, line.strip()))
            except ModuloError as error:  # a quota, or a server that rests: the chat goes on
                print(f"I cannot answer now: {error}")
