from modulo.cli.ready_message import LAST_LINE, Ready

DEMO = {"collection": "demo", "collection_id": "c1", "question": "How long does it run?"}


def ready(demo: dict[str, str], others: str | None = None) -> list[str]:
    told = Ready("http://h/#signin=x", "http://h/api", "mod_k", "are extracts.", demo, others).message()
    return told.splitlines()


def test_the_page_comes_first_and_the_questions_next() -> None:
    lines = ready(DEMO)
    assert lines[0] == "  Open     http://h/#signin=x"
    asked = [line for line in lines if " ask demo " in line]
    assert len(asked) == 3
    assert "'How long does it run?'" in asked[0]
    assert "  Answers  are extracts." in lines
    assert '  -d \'{"question": "How long does it run?", "collection_id": "c1"}\'' in lines
    assert lines[-1] == LAST_LINE


def test_without_samples_it_says_how_to_begin() -> None:
    lines = ready({})
    assert any(line.endswith(" new 'my documents'") for line in lines)
    assert not [line for line in lines if " ask " in line]


def test_who_else_reaches_it_is_told() -> None:
    assert "  Others   reach it" in ready(DEMO, "reach it")
    assert not [line for line in ready(DEMO) if "Others" in line]
