"""Passages that try to take over change no answer, and are told."""

import pytest

from tests.functions.conftest import ingest
from tests.functions.test_search import ask
from tests.unit.domain.answers import attacks

OFFICE = "The office closes at six on weekdays."
QUESTION = "When does the office close?"


@pytest.fixture
def collection(api):
    made = api.create_collection()
    assert ingest(api, made, api.upload(made, OFFICE, "office.txt")) == []
    return made


def test_an_answer_is_the_same_with_all_attacks_beside_it(api, collection):
    plain = ask(api, collection, question=QUESTION).json
    for number, text in enumerate((attacks.TEXTS[0], attacks.TEMPLATES[4], attacks.HIDDEN[1], attacks.TABLES[0])):
        assert ingest(api, collection, api.upload(collection, text, f"{number}.txt")) == []
    beside = ask(api, collection, question=QUESTION).json
    assert "six" in plain["answer"]
    assert "PWNED" not in beside["answer"]
    assert beside["answer"].startswith(plain["answer"].split(" [")[0])


def test_a_suspicious_passage_is_flagged_and_counted(api, collection, services):
    text = f"{attacks.TEXTS[0]} {attacks.TEMPLATES[7]}"
    assert ingest(api, collection, api.upload(collection, text, "attack.txt")) == []
    found = ask(api, collection, question="previous instructions PWNED", retrieve_only=True).json["query_results"]
    flags = {one["chunk"]["metadata"]["source"]: one["flags"] for one in found}
    assert flags == {"attack.txt": ["instruction", "template"], "office.txt": []}
    counts = services.metrics.counts
    assert counts["rag_suspicious_passages_total", (("flag", "instruction"),)] == 1
    assert counts["rag_suspicious_passages_total", (("flag", "template"),)] == 1
