"""Questions, answers, and the passages behind them."""

import re

import pytest
from playwright.sync_api import Locator, expect

from modulo_client import Modulo
from tests.browser.conftest import NewCollection, NewConsole
from tests.browser.console import LOOKS, Look

QUESTION = "How long does a full battery run the Aerie 3 without sun?"
OF_A_TABLE = "How is the rain gauge cleaned?"
"""Its answer is a row of a table of the PDF, whose cells the extract has bars between."""


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


def test_every_suggested_question_is_answered(new_console: NewConsole, modulo: Modulo) -> None:
    console = new_console()
    ask = f"/collections/{modulo.collections.get('demo').id}/ask"
    page = console.visit(ask)
    suggested = page.get_by_role("list", name="Suggested questions").get_by_role("button")
    expect(suggested).to_have_count(3)
    for question in suggested.all_inner_texts():
        console.visit(ask)
        suggested.filter(has_text=question).click()
        expect(console.answer(question).get_by_role("button", name="Source 1").first).to_be_visible()


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


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[3]], ids=str)
def test_a_pdf_is_shown_as_printed_with_the_passage_marked_on_it(
    new_console: NewConsole, modulo: Modulo, look: Look
) -> None:
    console = new_console(look)
    demo = modulo.collections.get("demo")
    page = console.visit(f"/collections/{demo.id}/ask")
    console.ask(OF_A_TABLE)
    answer = console.answer(OF_A_TABLE)
    answer.get_by_role("list", name="Sources").get_by_role(
        "button", name="installation and maintenance manual"
    ).first.click()
    source = page.get_by_role("dialog", name="Source")
    printed = source.get_by_role("img", name=re.compile("^Page [0-9]+ of "))
    expect(printed).to_be_visible()
    marks = source.locator(".pdf-mark")
    expect(marks.first).to_be_in_viewport()
    inked = printed.evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let dark = 0;
          for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 0 && data[at] < 128) dark += 1;
          return dark;
        }"""
    )
    assert inked > 1_000, "the page is blank"
    paper = printed.bounding_box()
    assert paper is not None
    for mark in marks.all():
        box = mark.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 1
        assert paper["x"] <= box["x"] <= paper["x"] + paper["width"] - box["width"] + 1, "beside the page"
        assert paper["y"] <= box["y"] <= paper["y"] + paper["height"] - box["height"] + 1, "beside the page"
    assert console.unreadable() == []
    before = place_on(printed, marks.first)
    page.set_viewport_size({"width": 980 if look.device == "desktop" else 844, "height": 600})  # a phone is turned
    expect(printed).not_to_have_js_property("clientWidth", int(paper["width"]))
    assert place_on(printed, marks.first) == pytest.approx(before, abs=0.005)
    source.get_by_role("button", name="Text", exact=True).click()
    expect(source.locator("mark").first).to_be_in_viewport()


def place_on(paper: Locator, mark: Locator) -> list[float]:
    """Where the mark stands on the page, in fractions of its sides."""
    whole, part = paper.bounding_box(), mark.bounding_box()
    assert whole is not None
    assert part is not None
    return [
        *((part[at] - whole[at]) / whole[side] for at, side in (("x", "width"), ("y", "height"))),
        *(part[side] / whole[side] for side in ("width", "height")),
    ]


def test_a_question_is_asked_of_the_chosen_files_only(new_console: NewConsole, new_collection: NewCollection) -> None:
    collection = new_collection(
        "ferries",
        {
            "north.txt": "The north ferry leaves at 7 in the morning from the white pier.",
            "south.txt": "The south ferry leaves at 9 in the morning from the blue pier.",
        },
    )
    console = new_console()
    page = console.visit(f"/collections/{collection.id}/ask")
    page.get_by_role("button", name="Choose what to ask").click()
    dialog = page.get_by_role("dialog", name="What to ask")
    dialog.get_by_label("Find a file").fill("sou")
    expect(dialog.get_by_label("north.txt")).to_have_count(0)
    dialog.get_by_label("south.txt").check()
    assert console.unreadable() == []
    dialog.get_by_role("button", name="Done").click()
    asked = page.get_by_role("list", name="What is asked")
    expect(asked).to_contain_text("south.txt")
    question = "From which pier does the ferry leave?"
    with page.expect_request(lambda request: request.url.endswith("/stream")) as sent:
        console.ask(question)
    [south] = [file.id for file in collection.files.list() if file.name == "south.txt"]
    assert sent.value.post_data_json["config_metadata"]["filters"] == {"document_id": [str(south)]}
    answer = console.answer(question)
    expect(answer).to_contain_text("south.txt")
    expect(answer).not_to_contain_text("north.txt")
    asked.get_by_role("button", name="Ask all files, not only south.txt").click()
    expect(asked).to_have_count(0)
    console.ask("When does the north ferry leave?")
    expect(console.answer("When does the north ferry leave?")).to_contain_text("north.txt")


def test_a_question_is_asked_of_several_collections(new_console: NewConsole, new_collection: NewCollection) -> None:
    first = new_collection("barns", {"barn.txt": "The barn was painted green in 1931."})
    second = new_collection("mills", {"mill.txt": "The mill wheel was made of oak in 1874."})
    console = new_console()
    page = console.visit(f"/collections/{first.id}/ask")
    page.get_by_role("button", name="Choose what to ask").click()
    page.get_by_role("dialog", name="What to ask").get_by_label(second.name).check()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("list", name="What is asked")).to_contain_text(f"and {second.name}")
    question = "What was the mill wheel made of?"
    console.ask(question)
    expect(console.answer(question)).to_contain_text("mill.txt")
