"""Questions, answers, and the passages behind them."""

import re

import pytest
from playwright.sync_api import expect

from modulo_client import Modulo
from tests.browser.conftest import NewCollection, NewConsole
from tests.browser.console import LOOKS, Look

QUESTION = "How long does a full battery run the Aerie 3 without sun?"


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[2]], ids=str)
def test_a_citation_opens_its_source_with_the_passage_marked(
    new_console: NewConsole, modulo: Modulo, look: Look
) -> None:
    console = new_console(look)
    page = console.visit(f"/collections/{modulo.collections.get('demo').id}/ask")
    console.ask(QUESTION)
    answer = console.answer(QUESTION)
    expect(answer.locator(".answer")).to_contain_text("16 days")
    chip = answer.get_by_role("button", name="Source 1").first
    chip.click()
    source = page.get_by_role("dialog", name="Source")
    expect(source.locator("mark").first).to_contain_text("16 days")
    expect(source.locator("mark").first).to_be_in_viewport()
    expect(source.get_by_text("Page 1", exact=True)).to_be_visible()
    source.get_by_role("link", name="Open the file").click()
    expect(page).to_have_url(re.compile(r"/files/[0-9a-f-]{36}\?page=1$"))
    expect(page.get_by_role("region", name="Text as it was read")).to_contain_text("16 days")


def test_the_address_keeps_the_thread(new_console: NewConsole, modulo: Modulo) -> None:
    console = new_console()
    page = console.visit(f"/collections/{modulo.collections.get('demo').id}/ask")
    console.ask(QUESTION)
    expect(page).to_have_url(re.compile(r"/ask/[0-9a-f-]{36}$"))
    page.reload()
    expect(console.answer(QUESTION).locator(".answer")).to_contain_text("16 days")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/(ask)?$"))


def test_what_the_documents_do_not_say_is_said_with_the_nearest_passages(
    new_console: NewConsole, new_collection: NewCollection
) -> None:
    collection = new_collection("ponds", {"pond.txt": "The pond behind the mill is 3 metres deep. Carp live in it."})
    console = new_console()
    console.visit(f"/collections/{collection.id}/ask")
    question = "Who composed the opera Rigoletto?"
    console.ask(question)
    answer = console.answer(question)
    expect(answer.get_by_role("button", name="Source 1")).to_have_count(0)
    expect(answer.get_by_text("passage")).not_to_have_count(0)


def test_an_answer_is_rated_once_and_stays_rated(new_console: NewConsole, modulo: Modulo) -> None:
    console = new_console()
    page = console.visit(f"/collections/{modulo.collections.get('demo').id}/ask")
    console.ask(QUESTION)
    good = console.answer(QUESTION).get_by_role("button", name="Good answer")
    with page.expect_response(lambda response: response.url.endswith("/feedback") and response.ok):
        good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
