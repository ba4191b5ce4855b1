"""OpenAI's SDK against Modulo: a collection is a model. Run it with a collection and a question."""

import os
import sys

from openai import OpenAI


def main(collection: str, question: str) -> None:
    """Stream the answer, then print what it cites."""
    url = os.environ.get("MODULO_URL", "http://127.0.0.1:8000")
    client = OpenAI(base_url=f"{url}/v1", api_key=os.environ["MODULO_API_KEY"])
    model, messages = f"modulo/{collection}", [{"role": "user", "content": question}]
    for chunk in client.chat.completions.create(model=model, messages=messages, stream=True):
        delta = chunk.choices[0].delta if chunk.choices else None
        print(delta.content or "" if delta else "", end="", flush=True)
        for cited in getattr(delta, "annotations", None) or ():
            print(f"\n- {cited['url_citation']['title']}", end="")
    print()


if __name__ == "__main__":
    main(*sys.argv[1:3])
