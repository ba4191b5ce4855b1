"""XFA: forms whose pages only Adobe's programs draw, kept as XML inside of the PDF; callers hold PDFium's lock."""

import ctypes
from collections.abc import Iterator

import pypdfium2 as pdfium
from lxml import etree
from pypdfium2 import raw

from modulo.adapters.parsing.text_decoding import one_line
from modulo.adapters.parsing.untrusted_xml import declares_entities, xml_parser

MAX_XFA_BYTES = 32 * 1024**2
MAX_LINES = 20_000


def xfa_lines(document: pdfium.PdfDocument) -> list[str]:
    """What the form says and what was filled in: `Label: value`, in the order of its template."""
    trees = list(_trees(_packets(document)))
    values = _values(trees)
    lines: list[str] = []
    for tree in trees:
        for template in _named(tree, "template"):
            lines += _template_lines(template, values)
    lines += [f"{name}: {value}" for name, found in values.items() for value in found]
    return lines[:MAX_LINES]


def _packets(document: pdfium.PdfDocument) -> list[bytes]:
    """The form's parts, which together are one XML document or each are one."""
    packets: list[bytes] = []
    left = MAX_XFA_BYTES
    for number in range(max(raw.FPDF_GetXFAPacketCount(document.raw), 0)):
        size = ctypes.c_ulong()
        if not raw.FPDF_GetXFAPacketContent(document.raw, number, None, 0, size) or not 0 < size.value <= left:
            continue
        buffer = ctypes.create_string_buffer(size.value)
        if raw.FPDF_GetXFAPacketContent(document.raw, number, buffer, size.value, size):
            packets.append(buffer.raw)
            left -= len(buffer.raw)
    return packets


def _trees(packets: list[bytes]) -> Iterator[etree._Element]:
    whole = _tree(b"".join(packets), recover=False)
    if whole is not None:
        yield whole
        return
    for packet in packets:
        if (tree := _tree(packet, recover=True)) is not None:
            yield tree


def _tree(content: bytes, *, recover: bool) -> etree._Element | None:
    if declares_entities(content):
        return None
    try:
        return etree.fromstring(content, xml_parser(recover=recover))
    except (etree.XMLSyntaxError, ValueError):
        return None


def _named(tree: etree._Element, name: str) -> Iterator[etree._Element]:
    return tree.iter(f"{{*}}{name}", name)


def _values(trees: list[etree._Element]) -> dict[str, list[str]]:
    """What was filled in, by the name of the field."""
    values: dict[str, list[str]] = {}
    for tree in trees:
        for data in _named(tree, "data"):
            if etree.QName(data).namespace not in (None, "http://www.xfa.org/schema/xfa-data/1.0/"):
                continue
            for element in data.iter(etree.Element):
                if len(element) == 0 and (text := one_line(element.text or "")):
                    values.setdefault(etree.QName(element).localname, []).append(text)
    return values


def _template_lines(template: etree._Element, values: dict[str, list[str]]) -> Iterator[str]:
    """The texts and captions of a template; the values it has places for are taken out of `values`."""
    for element in template.iter(etree.Element):
        kind = etree.QName(element).localname
        if kind == "draw":
            if text := _said(element.find("{*}value")):
                yield text
        elif kind == "field":
            caption = _said(element.find("{*}caption"))
            name = element.get("name", "")
            filled = values.get(name)
            value = filled.pop(0) if filled else _said(element.find("{*}value"))
            if filled == []:
                del values[name]
            if value:
                yield f"{(caption or name).rstrip(':')}: {value}"
            elif caption:
                yield caption


def _said(element: etree._Element | None) -> str:
    return one_line(" ".join(map(str, element.itertext()))) if element is not None else ""
