"""Finds elements and attributes by their names without namespaces."""

from functools import lru_cache

from lxml import etree


def local(element: etree._Element) -> str:
    """An element's name without its namespace, which differs between strict and transitional documents."""
    return _local_name(element.tag)


@lru_cache(maxsize=4096)
def _local_name(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: etree._Element, name: str) -> str:
    """The value of the attribute with a local name; an empty text if there is none."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return ""


def link(element: etree._Element, name: str = "id") -> str:
    """The id of a relationship, which is in an attribute with a namespace; the plain `id` is another number."""
    return next((str(value) for key, value in element.attrib.items() if str(key).endswith("}" + name)), "")


def child(element: etree._Element, *path: str) -> etree._Element | None:
    """The first child with a local name, then its first child with the next name, and so on; None if one is missing."""
    found: etree._Element | None = element
    for name in path:
        for item in found if found is not None else ():
            if _local_name(item.tag) == name:
                found = item
                break
        else:
            return None
    return found


def is_on(element: etree._Element | None) -> bool:
    """Whether a property is there and not switched off."""
    return element is not None and attribute(element, "val") not in {"0", "false", "off"}
