"""Which elements of an HTML page are content, rather than hidden or the frame around it."""

import re
from dataclasses import dataclass, field
from itertools import islice

from lxml import etree

_SKIPPED_TAGS = frozenset(
    [
        *("script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "audio", "video", "head"),
        *("map", "nav", "datalist", "dialog"),
    ]
)
_FRAME_TAGS = frozenset({"aside", "footer"})
_SKIPPED_ROLES = frozenset({"navigation", "banner", "search", "menu", "menubar", "dialog", "alertdialog", "listbox"})
_FRAME_ROLES = frozenset({"contentinfo", "complementary"})
_HIDDEN = re.compile(r"display\s{0,8}:\s{0,8}none|visibility\s{0,8}:\s{0,8}hidden", re.IGNORECASE)
_NOTE = re.compile(
    r"(?:^|[\s_-])(?:note|tip|hint|info|important|caution|warning|danger|admonition|callout|alert)(?:$|[\s_-])"
)
_PANEL = re.compile(
    r"(?:^|[\s_-])(?:tab|accordion|collaps\w{0,8}|expand\w{0,6}|toggle)[\s_-]?(?:pane|panel|content|body)?"
)
# Classes and ids that pages give to boilerplate, such as cookie banners, and to nothing else.
_BOILERPLATE = re.compile(
    r"(?:^|[\s_-])(?:cookies?[_-]?(?:banner|bar|box|consent|law|message|modal|notice|overlay|popup|warning)"
    r"|consent[_-]?(?:banner|bar|box|manager|modal|popup|sdk)|gdpr|onetrust|cookiebot|breadcrumbs?|skip[_-]?(?:link|nav)"
    r"|share[_-]?(?:bar|buttons?|links?)|social[_-]?(?:buttons?|icons?|links?|share)"
    r"|newsletter[_-]?(?:box|form|popup|signup))(?:$|[\s_-])",
    re.IGNORECASE,
)
_BOILERPLATE_TAGS = frozenset({"div", "section", "ul", "ol", "p", "a", "span", "form"})
_BOILERPLATE_FORM = re.compile(r"search|log[_-]?in|sign[_-]?(?:in|up)|subscribe|newsletter", re.IGNORECASE)
_MAX_NAME_LENGTH = 500
_MAX_CONTROLS = 10_000
_SMALL_FORM = 400  # characters
_LINK_SHARE = 0.6  # of the text: more of it in links makes an aside a menu
_FEW_WORDS = 3  # an aside of fewer tells nothing
_HEADING_TAGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


@dataclass(slots=True)
class Visibility:
    """Decides about the elements below `root`, which is the main content where `is_main`."""

    root: etree._Element
    is_main: bool = False
    keep_boilerplate: bool = False
    _controlled: set[str] = field(default_factory=set)
    """The ids of what buttons and tabs open."""
    _tabs: dict[str, str] = field(default_factory=dict)
    """The text of each tab, by its id."""

    def __post_init__(self) -> None:
        top = self.root.getroottree().getroot()
        for element in islice(top.iterfind(".//*[@aria-controls]"), _MAX_CONTROLS):
            self._controlled.update((element.get("aria-controls") or "")[:_MAX_NAME_LENGTH].split())
        for element in islice(top.iterfind('.//*[@role="tab"]'), _MAX_CONTROLS):
            self._tabs[element.get("id") or ""] = " ".join(" ".join(map(str, element.itertext())).split())

    def label_of(self, element: etree._Element) -> str:
        """The text of the tab that opens an element; an empty text for elements without one."""
        label = element.get("aria-labelledby") if element.get("role") == "tabpanel" else None
        return self._tabs.get(label, "") if label else ""

    def is_skipped(self, element: etree._Element) -> bool:
        """Whether the element and all in it is left out."""
        tag = element.tag
        if not isinstance(tag, str) or tag in _SKIPPED_TAGS or element.get("role") in _SKIPPED_ROLES:
            return True
        if tag == "button":
            return not self._is_title(element)
        if self._is_hidden(element):
            return True
        if tag in _FRAME_TAGS or element.get("role") in _FRAME_ROLES:
            return self._is_frame(element)
        return not self.keep_boilerplate and _is_boilerplate(element)

    def _is_hidden(self, element: etree._Element) -> bool:
        """Whether it never shows: a closed tab or a folded section does once it is opened."""
        hidden = element.get("hidden")
        if hidden is None and element.get("aria-hidden") != "true" and not _HIDDEN.search(element.get("style") or ""):
            return False
        if hidden == "until-found" or element.get("role") == "tabpanel" or element.get("id") in self._controlled:
            return False
        return not _PANEL.search((element.get("class") or "")[:_MAX_NAME_LENGTH])

    def _is_frame(self, element: etree._Element) -> bool:
        """Whether an aside or a footer belongs to the page around the content, or is but a list of links."""
        if _NOTE.search((element.get("class") or "")[:_MAX_NAME_LENGTH]):
            return False
        inside = self.is_main or any(
            above.tag in {"main", "article", "blockquote"} or above.get("role") == "main"
            for above in element.iterancestors()
        )
        return not inside or _is_menu(element)

    def _is_title(self, button: etree._Element) -> bool:
        """Whether a button is the title of a section that it opens."""
        return any(above.tag in _HEADING_TAGS for above in button.iterancestors())


def _is_menu(element: etree._Element) -> bool:
    text = " ".join(str(part) for part in element.itertext()).split()
    linked = [word for link in element.iter("a") for part in link.itertext() for word in str(part).split()]
    return len(text) < _FEW_WORDS or len(linked) > _LINK_SHARE * len(text)


def _is_boilerplate(element: etree._Element) -> bool:
    """Whether the class or id of the element is one that pages give to boilerplate."""
    if element.tag not in _BOILERPLATE_TAGS:
        return False
    names = [(element.get(name) or "")[:_MAX_NAME_LENGTH] for name in ("class", "id")]
    if any(_BOILERPLATE.search(name) for name in names):
        return True
    return element.tag == "form" and _is_boilerplate_form(element, names)


def _is_boilerplate_form(form: etree._Element, names: list[str]) -> bool:
    """Whether a form is one to search, to log in or to subscribe, and not one around a whole page."""
    if sum(len(str(text)) for text in islice(form.itertext(), _SMALL_FORM)) > _SMALL_FORM:
        return False
    names += [(form.get(name) or "")[:_MAX_NAME_LENGTH] for name in ("action", "name")]
    return any(map(_BOILERPLATE_FORM.search, names)) or form.find('.//input[@type="password"]') is not None
