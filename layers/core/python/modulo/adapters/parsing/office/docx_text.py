"""Reads the paragraphs of a DOCX: their words, and what they refer to."""

from dataclasses import dataclass, field

from lxml import etree

from modulo.adapters.parsing.office.docx_fields import code_text, content_control, form_field, is_page_field
from modulo.adapters.parsing.office.docx_styles import RunStyle, Styles
from modulo.adapters.parsing.office.drawing_text import Words
from modulo.adapters.parsing.office.elements import attribute, child, local
from modulo.adapters.parsing.office.omml import formula
from modulo.adapters.parsing.office.symbols import in_symbol_font, symbol

_SKIPPED = frozenset(
    {"del", "moveFrom", "Fallback", "delText", "rPr", "pPr", "sdtPr", "sdtEndPr", "rt", "tblPr", "proofErr", "ffData"}
)
_CHARACTERS = {"tab": "\t", "ptab": "\t", "cr": "\n", "noBreakHyphen": "-"}
_REFERENCES = frozenset({"footnoteReference", "endnoteReference", "commentReference"})
_GRAPHICS = frozenset({"drawing", "pict", "object"})
_SHOWN = RunStyle()


@dataclass(slots=True)
class _Field:
    """A field that is being read; `muted` if its stored result is not shown."""

    code: str = ""
    muted: bool = False
    resulted: bool = False


@dataclass(slots=True)
class Paragraph:
    """The content of a paragraph; `breaks` counts the pages that end in it, `breaks_before` those before its text."""

    words: Words = field(default_factory=Words)
    references: list[etree._Element] = field(default_factory=list)  # notes, comments, text boxes and drawings
    breaks: int = 0
    breaks_before: int = 0
    _fields: list[_Field] = field(default_factory=list)
    _muted: int = 0

    def write(self, text: str, style: RunStyle = _SHOWN) -> None:
        """Add text, unless it is the result of a field that shows something else."""
        if not self._muted:
            self.words.write(in_symbol_font(style.font, text) if style.font else text, style.shift)

    def end_page(self) -> None:
        """Take a page break."""
        self.breaks += 1
        if self.words.is_blank:
            self.breaks_before += 1

    def field_code(self, code: str, *, in_head: bool) -> None:
        """Take a part of the code of the innermost field; page numbers are not shown in headers and footers."""
        if self._fields:
            found = self._fields[-1]
            found.code += code
            found.muted = found.muted or (in_head and is_page_field(found.code))

    def field_mark(self, mark: etree._Element) -> None:
        """Take the begin of a field, the begin of its result, or its end."""
        kind = attribute(mark, "fldCharType")
        if kind == "begin":
            data = child(mark, "ffData")
            shown = form_field(data) if data is not None else None
            if shown is not None:
                self.write(shown)
            self._fields.append(_Field(muted=shown is not None))
        elif kind == "separate" and self._fields:
            self._fields[-1].resulted = True
            self._muted += self._fields[-1].muted
        elif kind == "end" and self._fields:
            found = self._fields.pop()
            if found.resulted:
                self._muted -= found.muted
            elif not found.muted:
                self.write(code_text(found.code))


class TextReader:
    """Reads the content of paragraphs."""

    def __init__(self, styles: Styles, *, rendered: bool, in_head: bool = False) -> None:
        """If `rendered`, pages end where Word last noted it; `in_head` says that it reads headers and footers."""
        self._styles = styles
        self._rendered = rendered
        self._in_head = in_head

    def paragraph(self, element: etree._Element) -> Paragraph:
        """The content of a paragraph."""
        paragraph = Paragraph()
        if not self._rendered and child(element, "pPr", "pageBreakBefore") is not None:
            paragraph.end_page()
        self._walk(element, paragraph)
        return paragraph

    def _walk(self, element: etree._Element, paragraph: Paragraph) -> None:
        """Collect the visible content of an element that holds runs."""
        for part in element:
            name = local(part)
            if name == "r":
                self._run(part, paragraph)
            elif name in _SKIPPED:
                continue
            elif name == "sdt":
                self._control(part, paragraph)
            elif name == "fldSimple":
                self._simple_field(part, paragraph)
            elif name == "oMathPara":
                formulas = [formula(item) for item in part if local(item) == "oMath"]
                paragraph.words.write_formula("\n".join(formulas))
            elif name == "oMath":
                paragraph.words.write_formula(formula(part))
            elif name == "txbxContent":
                paragraph.references.append(part)
            else:
                self._part(part, name, paragraph, _SHOWN)

    def _run(self, run: etree._Element, paragraph: Paragraph) -> None:
        style = _SHOWN
        for part in run:
            name = local(part)
            if name == "t":
                paragraph.write(part.text or "", style)
            elif name == "rPr":
                style = self._styles.run(part) if len(part) else _SHOWN
                if style.hidden:
                    return
            elif name not in _SKIPPED:
                self._part(part, name, paragraph, style)

    def _part(self, part: etree._Element, name: str, paragraph: Paragraph, style: RunStyle) -> None:
        """Take a part of a run that is no text, or an element with runs of its own."""
        if name in _CHARACTERS:
            paragraph.write(_CHARACTERS[name])
        elif name in {"br", "lastRenderedPageBreak"}:
            self._break(part, name, paragraph)
        elif name == "fldChar":
            paragraph.field_mark(part)
        elif name == "instrText":
            paragraph.field_code(part.text or "", in_head=self._in_head)
        elif name in _REFERENCES:
            paragraph.references.append(part)
        elif name == "sym":
            paragraph.write(symbol(attribute(part, "font"), attribute(part, "char")))
        elif name == "t":
            paragraph.write(part.text or "", style)
        else:
            if name in _GRAPHICS:
                paragraph.references.append(part)
            self._walk(part, paragraph)

    def _control(self, control: etree._Element, paragraph: Paragraph) -> None:
        """Take a content control: what it holds, or, if that is nothing, what it stands for."""
        before = paragraph.words.length
        self._walk(control, paragraph)
        if paragraph.words.length == before:
            paragraph.write(content_control(child(control, "sdtPr")))

    def _simple_field(self, element: etree._Element, paragraph: Paragraph) -> None:
        code, before = attribute(element, "instr"), paragraph.words.length
        if self._in_head and is_page_field(code):
            return
        self._walk(element, paragraph)
        if paragraph.words.length == before:
            paragraph.write(code_text(code))

    def _break(self, part: etree._Element, name: str, paragraph: Paragraph) -> None:
        """Take a line or page break; explicit page breaks are ignored if rendered ones are known."""
        if name == "lastRenderedPageBreak":
            paragraph.end_page()
        elif attribute(part, "type") != "page":
            paragraph.write("\n")
        elif not self._rendered:
            paragraph.end_page()
