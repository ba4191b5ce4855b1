"""Take the screenshots that the documentation shows: python -m tests.browser.screenshots <folder>.

They show the sample documents on a stack that is started for them, or on that of `MODULO_BROWSER_DATA`.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from modulo_client import Modulo
from tests.browser.console import LOOKS, PATIENCE_MILLISECONDS, Console, Look, text_file
from tests.browser.stack import started_stack
from tests.servers import Environment

QUESTION = "How long does a full battery run the Aerie 3 without sun?"
UNANSWERED = "Who composed the opera Rigoletto?"
QUALITY = 80
GAP = 24
DESKTOP, DESKTOP_DARK, PHONE, PHONE_DARK = LOOKS


class Photographer:
    """Opens the console, and keeps what it shows."""

    def __init__(self, browser: Browser, stack: Environment, demo: str, folder: Path) -> None:
        self._browser, self._stack, self._demo, self._folder = browser, stack, demo, folder

    def at(self, look: Look, screen: str) -> Console:
        """A screen of the collection of samples."""
        console = Console(self._browser, look, (self._stack["origin"],)).sign_in(self._stack["key"])
        console.visit(f"/collections/{self._demo}/{screen}")
        return console

    def keep(self, name: str, *shown: Console) -> None:
        """Write what tabs show, side by side."""
        images = [Image.open(BytesIO(console.page.screenshot(animations="disabled", scale="css"))) for console in shown]
        width, height = sum(image.width + GAP for image in images) - GAP, max(image.height for image in images)
        together = Image.new("RGBA", (width, height))
        at = 0
        for image in images:
            together.paste(image, (at, 0))
            at += image.width + GAP
        together.save(self._folder / f"{name}.webp", quality=QUALITY, method=6)
        for console in shown:
            console.close()


def open_source(console: Console) -> Console:
    """Open the page behind the answer's first citation."""
    console.answer(QUESTION).get_by_role("button", name="Source 1").first.click()
    expect(console.page.get_by_role("dialog", name="Source").locator("mark").first).to_be_visible()
    return console


def take(photographer: Photographer) -> None:
    """Take all of them."""
    console = photographer.at(DESKTOP, "ask")
    console.ask(QUESTION)
    photographer.keep("console-ask", open_source(console))

    phones = [photographer.at(look, "ask") for look in (PHONE, PHONE, PHONE_DARK)]
    for phone, question in zip(phones, (QUESTION, QUESTION, UNANSWERED), strict=True):
        phone.ask(question)
    open_source(phones[1])
    photographer.keep("console-phone", *phones)

    console = photographer.at(DESKTOP_DARK, "files")
    torn = {"name": "torn.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\nnothing follows"}
    note = text_file("note.txt", "The spare battery is in the white box.")
    console.page.get_by_label("Files to upload").set_input_files([note, torn])
    uploads = console.page.get_by_role("region", name="Uploads")
    expect(uploads.get_by_role("status")).to_have_text("1 of 2 ready, 1 failed")
    photographer.keep("console-files", console)


def main(folder: Path) -> None:
    """Start what they need."""
    folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium")
    if program is None:
        raise LookupError("chromium is not installed: apt-get install chromium (Debian, Ubuntu)")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with started_stack() as stack, Modulo(stack["url"], stack["key"]) as modulo, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments, timeout=PATIENCE_MILLISECONDS)
        demo = modulo.collections.get("demo")
        take(Photographer(browser, stack, str(demo.id), folder))
        browser.close()
        for name in ("note.txt", "torn.pdf"):
            file = demo.files.named(name)
            if file is not None:
                demo.files.delete(file.id)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
