import pytest

from modulo.cli.openapi_examples import example_of

TEXT = {"type": "string"}
NAMED = {"title": "Named", "type": "object", "properties": {"name": TEXT}, "required": ["name"]}


@pytest.mark.parametrize(
    ("title", "name"), [("File", "handbook.pdf"), ("NewCollection", "policies"), ("VectorStore", "policies")]
)
def test_a_name_is_that_of_what_has_it(title: str, name: str) -> None:
    assert example_of({**NAMED, "title": title}, {}) == {"name": name}


def test_a_user_and_a_tenant_have_names_of_their_own() -> None:
    reference = {"$ref": "#/components/schemas/Named"}
    caller = {"type": "object", "properties": {"user": reference, "tenant": reference}, "required": ["user", "tenant"]}
    assert example_of(caller, {"Named": NAMED}) == {"user": {"name": "ada"}, "tenant": {"name": "acme"}}


def test_a_name_of_which_the_schema_gives_an_example_is_kept() -> None:
    given = {**NAMED, "title": "Collection", "properties": {"name": {**TEXT, "examples": ["papers"]}}}
    assert example_of(given, {}) == {"name": "papers"}
