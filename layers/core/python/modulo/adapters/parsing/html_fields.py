"""What a saved form holds: the values of its fields, as text."""

from lxml import etree

_SILENT = frozenset({"hidden", "submit", "button", "reset", "image", "password", "file", "search", "range", "color"})
_NO_ALT = frozenset(
    {"image", "img", "photo", "picture", "logo", "icon", "avatar", "bild", "foto", "spacer", "thumbnail"}
)
_PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".tif", ".tiff")
FIELDS = frozenset({"input", "select", "textarea", "img"})


def field_text(element: etree._Element) -> str:
    """The value of a field, and the text that stands for a picture."""
    tag = element.tag
    if tag == "img":
        return _alternative(element)
    if tag == "textarea":
        return "".join(map(str, element.itertext()))
    if tag == "select":
        chosen = (option for option in element.iter("option") if option.get("selected") is not None)
        return ", ".join(" ".join("".join(map(str, option.itertext())).split()) for option in chosen)
    kind = (element.get("type") or "text").lower()
    if kind in {"checkbox", "radio"}:
        return "\u2612" if element.get("checked") is not None else "\u2610"
    return "" if kind in _SILENT else element.get("value") or ""


def _alternative(image: etree._Element) -> str:
    """The text for readers who do not see the picture, unless it says no more than that there is one."""
    text = " ".join((image.get("alt") or "").split())
    silent = image.get("role") in {"presentation", "none"} or text.lower() in _NO_ALT
    return "" if silent or text.lower().endswith(_PICTURE_ENDINGS) else text
