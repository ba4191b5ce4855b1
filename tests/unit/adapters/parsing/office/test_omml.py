"""Formulas of Office in one line."""

import pytest
from lxml import etree

from modulo.adapters.parsing.office.omml import formula

NAMESPACE = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def run(text: str) -> str:
    return f"<m:r><m:rPr><m:sty/></m:rPr><m:t>{text}</m:t></m:r>"


def part(name: str, properties: str = "", **children: str) -> str:
    inside = "".join(f"<m:{child}>{text if '<' in text else run(text)}</m:{child}>" for child, text in children.items())
    return f"<m:{name}><m:{name}Pr>{properties}</m:{name}Pr>{inside}</m:{name}>"


def sign(text: str) -> str:
    return f'<m:chr m:val="{text}"/>'


def cells(*rows: str) -> str:
    return "".join(f"<m:mr>{''.join(f'<m:e>{run(cell)}</m:e>' for cell in row)}</m:mr>" for row in rows)


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        (part("f", num="3", den="4"), "3/4"),
        (part("f", num="a+b", den="2"), "(a+b)/2"),
        (part("f", '<m:type m:val="noBar"/>', num="n", den="k"), "(n over k)"),
        (part("sSup", e="x", sup="2"), "x²"),
        (part("sSup", e="x", sup="n+1"), "xⁿ⁺¹"),
        (part("sSup", e="e", sup="a"), "e^a"),
        (part("sSup", e=part("f", num="x", den="v"), sup="2"), "(x/v)²"),
        (part("sSup", e="a+b", sup="2"), "(a+b)²"),
        (part("sSub", e="a", sub="n") + run("cos"), "a_n cos"),
        (part("sSubSup", e="x", sub="1", sup="2"), "x₁²"),
        (part("rad", e="a+b"), "√(a+b)"),
        (part("rad", deg="3", e="x"), "∛x"),
        (part("nary", sign("∑"), sub="i=1", sup="∞", e="x"), "∑_(i=1)^∞ x"),
        (part("nary", sub="0", sup="1", e="x"), "∫₀¹ x"),
        (part("d", e="x"), "(x)"),
        (part("d", '<m:begChr m:val="["/><m:endChr m:val="]"/>', e="x"), "[x]"),
        (part("func", fName="sin", e="x"), "sin x"),
        (part("func", fName=part("limLow", e="lim", lim="x→0"), e="f"), "lim_(x→0) f"),
        (part("acc", sign("\u0302"), e="x"), "x"),
        (f"<m:m>{cells('ab', 'c')}</m:m>", "a, b; c"),
        (f"<m:eqArr><m:e>{run('a&amp;=b')}</m:e><m:e>{run('c=d')}</m:e></m:eqArr>", "a=b; c=d"),
        (run("a") + "<m:del>" + run("b") + "</m:del>", "a"),
    ],
)
def test_formulas(inside: str, shown: str) -> None:
    assert formula(etree.fromstring(f"<m:oMath {NAMESPACE}>{inside}</m:oMath>")) == shown


def test_depth_is_bounded() -> None:
    deep = f"<m:oMath {NAMESPACE}>{'<m:box>' * 200}{run('x')}{'</m:box>' * 200}</m:oMath>"
    assert formula(etree.fromstring(deep)) == ""
