"""Names, titles, texts and answers that try to run something: they are shown as what they are, and nothing runs."""

import pytest
from playwright.sync_api import expect

from modulo_client import Modulo
from tests.browser.conftest import NewCollection, NewConsole
from tests.browser.console import LOOKS, Look

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"
FRAME = "<svg onload=alert(1)>"
ATTRIBUTE = '" onmouseover="alert(1)" autofocus onfocus="alert(1)'
LINK = "[a link](javascript:alert(1))"
MADE = (
    "document.querySelectorAll('script:not([src]), img[src=x], iframe, [onload], [onerror], [onmouseover], [onfocus], "
    "a[href^=javascript]').length"
)
"""How much of it became a part of the page."""


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[3]], ids=str)
def test_nothing_that_others_wrote_is_run(new_console: NewConsole, new_collection: NewCollection, look: Look) -> None:
    page_title = f"<html><head><title>{IMAGE.replace('<', '&lt;')}</title></head><body><h1>Doors</h1>"
    collection = new_collection(
        f"{IMAGE}{ATTRIBUTE}",
        {
            f"{IMAGE}.txt": f"The code of the north hatch is {SCRIPT} 4711 {IMAGE} {LINK}.",
            f"{ATTRIBUTE}.html": f"{page_title}<p>The code of the south door is 0815 &lt;svg onload=alert(1)&gt;.</p>",
        },
    )
    collection.update(description=f"{SCRIPT}{FRAME}")
    [first, *_] = collection.files.list()
    collection.files.set_attributes(first.id, {"note": f"{IMAGE}{SCRIPT}"})
    console = new_console(look)
    page, at = console.page, f"/collections/{collection.id}"
    expect(page.get_by_role("link", name=IMAGE).first).to_be_attached()
    expect(page.get_by_text(FRAME)).to_be_visible()
    assert page.evaluate(MADE) == 0

    console.visit(f"{at}/files")
    expect(page.get_by_role("link", name=IMAGE).first).to_be_visible()
    expect(page.get_by_role("link", name="onmouseover").last).to_be_visible()
    assert page.evaluate(MADE) == 0

    for file in collection.files.list():
        console.visit(f"{at}/files/{file.id}")
        expect(page.get_by_role("heading", level=1, name=file.name)).to_be_visible()
        expect(page.get_by_text("Page 1", exact=True)).to_be_visible()
        assert page.evaluate(MADE) == 0

    console.visit(f"{at}/ask")
    for question in (f"What is the code of the north hatch? {IMAGE}", "What is the code of the south door?"):
        console.ask(question)
        answer = console.answer(question)
        expect(answer.locator(".answer")).to_contain_text("alert(1)")
        assert page.evaluate(MADE) == 0
        answer.get_by_role("button", name="Source 1").first.click()
        source = page.get_by_role("dialog", name="Source")
        expect(source.locator("mark").first).to_contain_text("alert(1)")
        assert page.evaluate(MADE) == 0
        source.get_by_role("button", name="Close source").click()
        expect(source).to_be_hidden()

    console.visit(f"{at}/settings")
    expect(page.get_by_role("heading", name="Delete this collection")).to_be_visible()
    assert page.evaluate(MADE) == 0


def test_the_address_runs_nothing(new_console: NewConsole, modulo: Modulo) -> None:
    console = new_console()
    console.expected = {404, 422}
    demo = modulo.collections.get("demo").id
    for path in (
        f"{IMAGE}",
        "javascript:alert(1)",
        f"/collections/{demo}/ask/{IMAGE}",
        f"/collections/{demo}/%E0%A4%A",
    ):
        console.visit(path)
        expect(console.page.locator("main").first).to_be_visible()
        assert console.page.evaluate(MADE) == 0
