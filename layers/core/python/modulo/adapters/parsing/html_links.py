"""Where a link leads, shown where a reader of the text alone would miss it."""

import re
from urllib.parse import urlsplit

_MAX_LENGTH = 120
_FILE = re.compile(
    r"[^/?#]{1,150}\.(?:pdf|docx?|xlsx?|pptx?|csv|zip|gz|tgz|exe|msi|dmg|pkg|deb|rpm|apk|iso|txt|json|xml|ics|vcf|epub)$",
    re.IGNORECASE,
)
_DIRECT = ("mailto:", "tel:", "sms:")


def shown_target(href: str | None, text: str) -> str:
    """The target to write in brackets behind a link's text; an empty text where it tells nothing.

    Other sites, files to download, addresses and numbers are shown, other pages of the same site are not.
    """
    href = (href or "").strip()[:2_000]
    if href.lower().startswith(_DIRECT):
        target = href.partition(":")[2].partition("?")[0].strip()
        return "" if _plain(target) in _plain(text) else target
    try:
        parts = urlsplit(href)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return href.partition("?")[0] if not parts.scheme and not host and _is_new_file(parts.path, text) else ""
    if _plain(host.removeprefix("www.")) in _plain(text):
        return ""
    target = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    with_query = f"{target}?{parts.query}" if parts.query else target
    if len(with_query) <= _MAX_LENGTH:
        return with_query
    return target if len(target) <= _MAX_LENGTH else f"{parts.scheme}://{parts.netloc}/\u2026"


def _is_new_file(path: str, text: str) -> bool:
    found = _FILE.search(path[-200:])
    return bool(found and _plain(found[0]) not in _plain(text))


def _plain(text: str) -> str:
    return re.sub(r"[^\w@]", "", text).lower()
