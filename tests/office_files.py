"""Writes small Office files from the XML of their parts, for what the libraries that write documents cannot say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.documents import zipped

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_OFFICE = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT_SHEET = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{name}"'
    for prefix, name in {
        "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
        "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
        "r": _OFFICE,
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "a": f"{_DRAWING}/main",
        "a14": "http://schemas.microsoft.com/office/drawing/2010/main",
        "c": f"{_DRAWING}/chart",
        "dgm": f"{_DRAWING}/diagram",
        "wp": f"{_DRAWING}/wordprocessingDrawing",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
        "xdr": f"{_DRAWING}/spreadsheetDrawing",
        "v": "urn:schemas-microsoft-com:vml",
    }.items()
)


class Related(NamedTuple):
    """A part that another one refers to by `id`; `kind` is the last segment of the relationship's type."""

    id: str
    kind: str
    name: str
    content: str | bytes


def root(tag: str, inside: str, attributes: str = "") -> str:
    """A part whose root element has this name."""
    return f"{_DECLARATION}<{tag} {NAMESPACES} {attributes}>{inside}</{tag}>"


def _relationships(related: Iterable[Related], *, strict: bool = False) -> str:
    kinds = _STRICT_OFFICE if strict else _OFFICE
    links = "".join(
        f'<Relationship Id="{part.id}" Type="{kinds}/{part.kind}" Target="/{part.name}"/>' for part in related
    )
    namespace = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'{_DECLARATION}<Relationships xmlns="{namespace}">{links}</Relationships>'


def _package(main: str, owners: Mapping[str, Sequence[Related]], *, strict: bool = False) -> bytes:
    """A package: the parts that each part refers to, by the owner's name; an empty name is the package's."""
    types = f"{_DECLARATION}<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"
    parts: dict[str, str | bytes] = {"[Content_Types].xml": types}
    for owner, related in owners.items():
        folder, _, name = owner.rpartition("/")
        parts[f"{folder}/_rels/{name}.rels".lstrip("/")] = _relationships(related, strict=strict)
        parts |= {part.name: part.content for part in related if part.content}
    assert main in parts
    return zipped([(name, part.encode() if isinstance(part, str) else part) for name, part in parts.items()])


def word(body: str, *related: Related) -> bytes:
    """A Word document with this body."""
    main = "word/document.xml"
    document = Related("rId1", "officeDocument", main, root("w:document", f"<w:body>{body}</w:body>"))
    return _package(main, {"": [document], main: related})


def paragraph(text: str, properties: str = "", run: str = "") -> str:
    """A paragraph of a Word document with one run."""
    return (
        f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'
    )


def slides(*shapes: str, related: Sequence[Related] = (), rest: Sequence[Related] = ()) -> bytes:
    """A presentation with these shapes on its slides; the first slide refers to `related`, the whole to `rest`."""
    main, names = "ppt/presentation.xml", [f"ppt/slides/slide{number}.xml" for number in range(1, len(shapes) + 1)]
    listed = "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in range(1, len(shapes) + 1))
    presentation = root("p:presentation", f"<p:sldIdLst>{listed}</p:sldIdLst>")
    made = [
        Related(f"rId{n}", "slide", name, root("p:sld", f"<p:cSld><p:spTree>{inside}</p:spTree></p:cSld>"))
        for n, (name, inside) in enumerate(zip(names, shapes, strict=True), 1)
    ]
    owners = {
        "": [Related("rId1", "officeDocument", main, presentation)],
        main: [*made, *rest],
        names[0]: list(related),
    }
    return _package(main, owners)


def shape(*paragraphs: str, placeholder: str = "") -> str:
    """A shape of a slide; `placeholder` is the type of its placeholder."""
    held = f'<p:ph type="{placeholder}"/>' if placeholder else ""
    text = "".join(one if one.startswith("<a:p") else f"<a:p><a:r><a:t>{one}</a:t></a:r></a:p>" for one in paragraphs)
    return f"<p:sp><p:nvSpPr><p:nvPr>{held}</p:nvPr></p:nvSpPr><p:txBody>{text}</p:txBody></p:sp>"


def workbook(
    rows: str,
    *related: Related,
    before: str = "",
    after: str = "",
    styles: str = "",
    texts: str = "",
    properties: str = "",
    strict: bool = False,
) -> bytes:
    """A workbook of one sheet; `before` and `after` stand around its rows, `related` are parts of the sheet."""
    namespace = f'xmlns="{_STRICT_SHEET if strict else _SHEET}" xmlns:r="{_STRICT_OFFICE if strict else _OFFICE}"'
    main, sheet = "xl/workbook.xml", "xl/worksheets/sheet1.xml"
    listed = f'{properties}<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets>'
    inside = f"{before}<sheetData>{rows}</sheetData>{after}"
    parts = [Related("rId1", "worksheet", sheet, f"{_DECLARATION}<worksheet {namespace}>{inside}</worksheet>")]
    if styles:
        parts.append(Related("rId2", "styles", "xl/styles.xml", f"<styleSheet {namespace}>{styles}</styleSheet>"))
    if texts:
        parts.append(Related("rId3", "sharedStrings", "xl/sharedStrings.xml", f"<sst {namespace}>{texts}</sst>"))
    document = Related("rId1", "officeDocument", main, f"{_DECLARATION}<workbook {namespace}>{listed}</workbook>")
    return _package(main, {"": [document], main: parts, sheet: related}, strict=strict)


def row(number: int, **cells: str) -> str:
    """A row of cells by column: XML as it is, numbers as numbers, other words as text."""
    return (
        f'<row r="{number}">'
        + "".join(_cell(f"{letters}{number}", value) for letters, value in cells.items())
        + "</row>"
    )


def _cell(place: str, value: str) -> str:
    if value.startswith("<"):
        return value.replace("<c", f'<c r="{place}"', 1)
    if value.replace(".", "", 1).lstrip("-").isdecimal():
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


def formats(*codes: str) -> str:
    """Styles of which number n shows the n-th format code, counted from 1."""
    listed = "".join(f'<numFmt numFmtId="{163 + n}" formatCode="{code}"/>' for n, code in enumerate(codes, 1))
    used = "".join(f'<xf numFmtId="{163 + n}"/>' for n in range(1, len(codes) + 1))
    return f"<numFmts>{listed}</numFmts><cellXfs><xf/>{used}</cellXfs>"


CHART = root(
    "c:chartSpace",
    "<c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Sales by quarter</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    "<c:plotArea><c:barChart>"
    + "".join(
        f"<c:ser><c:tx><c:strRef><c:strCache><c:pt idx='0'><c:v>{name}</c:v></c:pt></c:strCache></c:strRef></c:tx>"
        "<c:cat><c:strRef><c:strCache><c:pt idx='0'><c:v>Q1</c:v></c:pt><c:pt idx='1'><c:v>Q2</c:v></c:pt></c:strCache>"
        f"</c:strRef></c:cat><c:val><c:numRef><c:numCache><c:formatCode>0.0</c:formatCode>{points}</c:numCache></c:numRef>"
        "</c:val></c:ser>"
        for name, points in {
            "North": "<c:pt idx='0'><c:v>12.25</c:v></c:pt><c:pt idx='1'><c:v>9</c:v></c:pt>",
            "South": "<c:pt idx='1'><c:v>4</c:v></c:pt>",
        }.items()
    )
    + "</c:barChart></c:plotArea></c:chart>",
)
CHART_TEXT = " | North | South\nQ1 | 12.3 |\nQ2 | 9.0 | 4.0"
DIAGRAM = root(
    "dgm:dataModel",
    "<dgm:ptLst>"
    + "".join(f"<dgm:pt><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>" for text in ("Plan", "Build"))
    + '<dgm:pt type="pres"><dgm:t><a:p/></dgm:t></dgm:pt></dgm:ptLst>',
)
