"""Everything without a mouse."""

from playwright.sync_api import expect

from modulo_client import Modulo
from tests.browser.conftest import NewCollection, NewConsole

QUESTION = "How long does a full battery run the Aerie 3 without sun?"


def test_a_question_is_asked_and_its_sources_are_walked_through(new_console: NewConsole, modulo: Modulo) -> None:
    console = new_console()
    page = console.visit(f"/collections/{modulo.collections.get('demo').id}/ask")
    expect(page.get_by_label("Question", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Files", exact=True).focus()
    page.keyboard.press("/")
    expect(page.get_by_label("Question", exact=True)).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    answer = console.answer(QUESTION)
    chip = answer.get_by_role("button", name="Source 1").first
    expect(chip).to_be_visible()
    expect(answer.locator(".answer")).to_have_attribute("aria-busy", "false")
    chip.focus()
    page.keyboard.press("Enter")
    source = page.get_by_role("dialog", name="Source")
    expect(source).to_be_visible()
    page.keyboard.press("Escape")
    expect(source).to_be_hidden()
    expect(chip).to_be_focused()


def test_the_list_of_files_is_filtered_from_the_keyboard(new_console: NewConsole, modulo: Modulo) -> None:
    page = new_console().visit(f"/collections/{modulo.collections.get('demo').id}/files")
    expect(page.get_by_role("row")).to_have_count(7)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("manual")
    expect(page.get_by_role("row")).to_have_count(2)


def test_a_dialog_keeps_the_focus_and_gives_it_back(new_console: NewConsole) -> None:
    page = new_console().page
    opener = page.get_by_role("button", name="New collection")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        inside = page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
        assert inside, "the page behind the dialog has the focus"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_collection_is_made_and_deleted_from_the_keyboard(
    new_console: NewConsole, new_collection: NewCollection
) -> None:
    page = new_console().page
    page.get_by_role("button", name="New collection").focus()
    page.keyboard.press("Enter")
    name = "keys only"
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Drop files here")).to_be_visible()
    page.get_by_role("link", name="Settings", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete collection").focus()
    page.keyboard.press("Enter")
    confirm = page.get_by_role("dialog").get_by_role("button", name="Delete collection")
    confirm.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Collections", level=1)).to_be_visible()
    expect(page.get_by_role("link", name=name)).to_have_count(0)


def test_the_first_tab_leads_past_the_menu(new_console: NewConsole, modulo: Modulo) -> None:
    page = new_console().visit(f"/collections/{modulo.collections.get('demo').id}/files")
    expect(page.get_by_role("row")).to_have_count(7)
    page.get_by_role("link", name="Skip to content").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
