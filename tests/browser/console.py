"""The console in a browser: how it is opened, what it shows, and what went wrong in it."""

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, Response, expect

AXE = AXE_FILE_PATH.read_text()
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
PATIENCE_MILLISECONDS = 60_000
"""Of each expectation: two cores may be busy. None waits longer than it has to."""
VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""
EXPECTED = re.compile(r"404 /api/collections/[^/]+/reembedding$")
"""Most collections were never re-embedded."""
TOO_WIDE = """() => [...document.querySelectorAll("*")]
  .filter((each) => {
    const style = getComputedStyle(each);
    const boxed = each === document.documentElement || style.overflowX !== "visible";
    const meant = each.closest("pre, table, input, .sr-only") || style.textOverflow === "ellipsis";
    return boxed && !meant && each.clientWidth && each.scrollWidth > each.clientWidth;
  })
  .map((each) => `${each.tagName}.${each.className} of ${each.clientWidth} holds ${each.scrollWidth}`)"""


@dataclass(frozen=True)
class Look:
    """A screen size and a theme."""

    device: Literal["desktop", "phone"]
    theme: Literal["light", "dark"]

    def __str__(self) -> str:
        return f"{self.device}-{self.theme}"

    @property
    def options(self) -> dict[str, Any]:
        """Of a browser's context."""
        size = {"width": 1280, "height": 800} if self.device == "desktop" else {"width": 360, "height": 780}
        phone = {"is_mobile": True, "has_touch": True, "device_scale_factor": 2} if self.device == "phone" else {}
        return {"viewport": size, "color_scheme": self.theme, "reduced_motion": "reduce", "locale": "en-GB", **phone}


LOOKS = [Look(device, theme) for device in ("desktop", "phone") for theme in ("light", "dark")]


class Console:
    """A tab of a browser, and its faults: errors, refused content, dialogs, and requests to other servers."""

    def __init__(self, browser: Browser, look: Look, origins: tuple[str, ...]) -> None:
        self.context: BrowserContext = browser.new_context(**look.options)
        self.look = look
        self.origin, *_ = origins
        self.faults: list[str] = []
        self.expected: set[int] = set()
        """Statuses that the server is to answer here."""
        self._origins = (*origins, "data:", "blob:")
        self.context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.context.add_init_script(VIOLATIONS)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", self._asked)
        self.page.on("request", self._requested)
        self.page.on("response", self._answered)

    def sign_in(self, key: str) -> "Console":
        """Open the link that signs in, as `make up` prints it, and wait for the collections."""
        self.page.goto(f"{self.origin}/#key={key}")
        expect(self.page.get_by_role("heading", name="Collections", level=1)).to_be_visible()
        return self

    def visit(self, path: str) -> Page:
        """Show another screen."""
        self.page.goto(f"{self.origin}/#{path}")
        return self.page

    def screen(self, name: str) -> None:
        """Choose a screen of the collection in the menu or, on a phone, among the tabs."""
        self.page.get_by_role("link", name=name, exact=True).locator("visible=true").click()

    def ask(self, question: str) -> None:
        """Ask, and wait for the answer's end."""
        self.page.get_by_label("Question", exact=True).fill(question)
        self.page.get_by_role("button", name="Ask", exact=True).click()
        expect(self.answer(question).locator(".answer")).to_have_attribute("aria-busy", "false")

    def answer(self, question: str) -> Any:
        """The answer to a question that was asked."""
        return self.page.get_by_role("article", name=f"Answer to: {question}")

    def unreadable(self) -> list[str]:
        """What axe finds on the page as it is: each fault with what has it."""
        self.page.evaluate(AXE)
        options = {"runOnly": LEVELS, "resultTypes": ["violations"]}
        found = self.page.evaluate("options => axe.run(document, options)", options)["violations"]
        return [
            f"{each['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for each in found
            for node in each["nodes"]
        ]

    def too_wide(self) -> list[str]:
        """What is wider than the box that scrolls or cuts it, if that is not meant, as in fields."""
        return list(self.page.evaluate(TOO_WIDE))

    def reload_when_allowed(self) -> None:
        """Reload the page as soon as the console would let a person leave it without asking.

        It learns that files are kept a moment after the browser's database shows them to others.
        """
        self.page.wait_for_function("() => dispatchEvent(new Event('beforeunload', { cancelable: true }))")
        self.page.reload()

    def close(self) -> None:
        """Close the tab."""
        self.context.close()

    def _told(self, message: ConsoleMessage) -> None:
        # Which answers were problems is told below, with their addresses.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def _asked(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(self._origins):
            self.faults.append(f"request: {request.url}")

    def _answered(self, response: Response) -> None:
        path = urlsplit(response.url).path
        if (
            response.status >= 400
            and response.status not in self.expected
            and not EXPECTED.match(f"{response.status} {path}")
        ):
            self.faults.append(f"answer: {response.status} {path}")


def text_file(name: str, text: str) -> dict[str, Any]:
    """A file to choose in a form."""
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}
