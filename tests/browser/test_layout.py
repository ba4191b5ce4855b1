"""What people write does not break a screen: names without spaces, and text from right to left."""

from playwright.sync_api import Locator, expect

from tests.browser.conftest import NewCollection, NewConsole
from tests.browser.console import LOOKS, text_file

_, _, PHONE, _ = LOOKS
LONG = f"{'Quarterly_report_of_the_northern_division_' * 5}.txt"
ARABIC = "باعت الشركة محطات كثيرة. المقر الرئيسي في القاهرة."
ENGLISH = "The head office is in Cairo."
ENDS = """(element) => {
  const text = element.firstChild, range = document.createRange();
  const left = (at) => (range.setStart(text, at), range.setEnd(text, at + 1), range.getBoundingClientRect().left);
  return [left(0), left(text.length - 1)];
}"""
"""Where the first and the last character of a text in one line stand."""


def reads_from_right_to_left(text: Locator) -> bool:
    first, last = text.evaluate(ENDS)
    return bool(last < first)


def test_names_without_spaces_are_shortened_or_broken_on_a_phone(
    new_console: NewConsole, new_collection: NewCollection
) -> None:
    collection, console = new_collection("Annual" * 12, {LONG: ENGLISH}), new_console(PHONE)
    page, at = console.page, f"/collections/{collection.id}"
    [file] = collection.files.list()
    for path in (f"{at}/files", f"{at}/files/{file.id}", f"{at}/ask", f"{at}/settings", "/"):
        console.visit(path)
        expect(page.locator("main").get_by_role("heading").first).to_be_visible()
        assert console.too_wide() == []

    console.visit(f"{at}/files")
    page.get_by_label("Files to upload").set_input_files([text_file(f"Other_{LONG}", "A second office is in Luxor.")])
    uploads = page.get_by_role("region", name="Uploads")
    expect(uploads.get_by_role("status")).to_have_text("1 of 1 ready")
    assert console.too_wide() == []


def test_a_name_and_a_text_from_right_to_left_read_so_beside_others(
    new_console: NewConsole, new_collection: NewCollection
) -> None:
    collection, console = new_collection("offices", {"تقرير.txt": ARABIC, "report.txt": ENGLISH}), new_console()
    for name, to_left in (("تقرير.txt", True), ("report.txt", False)):
        file = collection.files.named(name)
        assert file is not None
        page = console.visit(f"/collections/{collection.id}/files/{file.id}")
        text = page.locator(".page-text")
        expect(text).to_have_count(1)
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        assert reads_from_right_to_left(text) == to_left
