"""HTML and Markdown: lists with numbers, what is content and what is frame, links, fields, powers and formulas."""

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.adapters.parsing.html_parser import MAX_ATTRIBUTES, HtmlParser
from modulo.adapters.parsing.markdown_parser import MarkdownParser
from modulo.domain.errors import OversizedFile


def read(body: str, head: str = "") -> str:
    page = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return "\n".join(
        block.text for page in HtmlParser().parse(io.BytesIO(page.encode())).pages() for block in page.blocks
    )


def read_markdown(text: str) -> str:
    pages = MarkdownParser().parse(io.BytesIO(text.encode())).pages()
    return "\n".join(block.text for page in pages for block in page.blocks)


@pytest.mark.parametrize(
    ("attributes", "numbers"),
    [
        *[("", "1. 2. 3."), ('start="42"', "42. 43. 44."), ('start="-1"', "-1. 0. 1."), ('start="x"', "1. 2. 3.")],
        *[('type="a"', "a. b. c."), ('type="A" start="26"', "Z. AA. AB."), ('type="i"', "i. ii. iii.")],
        *[('type="I" start="8"', "VIII. IX. X."), ('type="a" start="0"', "0. a. b."), ("reversed", "3. 2. 1.")],
        *[('reversed start="10"', "10. 9. 8."), ('style="list-style-type: lower-roman"', "i. ii. iii.")],
        *[('style="list-style: upper-alpha inside"', "A. B. C."), ('type="I" start="3999"', "MMMCMXCIX. 4000. 4001.")],
    ],
)
def test_numbers_of_lists(attributes: str, numbers: str) -> None:
    shown = read(f"<ol {attributes}><li>x</li><li>x</li><li>x</li></ol>")
    assert shown == "\n".join(f"{number} x" for number in numbers.split())


def test_an_item_with_a_number_of_its_own() -> None:
    assert read('<ol type="a"><li>one<li value="7">two<li>three</ol>') == "a. one\ng. two\nh. three"
    assert read('<ul><li value="7">one</ul>') == "- one"
    nested = '<ol start="2"><li>one<ol type="i" start="4"><li>in</ol><li>two</ol>'
    assert read(nested) == "2. one\n  iv. in\n3. two"


TEXT = "<p>The pump runs at forty bar, and its filter is changed twice a year.</p>"
LINKS = '<ul><li><a href="/a">Pumps</a></li><li><a href="/b">Valves and gauges</a></li></ul>'


@pytest.mark.parametrize("element", ["aside", "footer", 'div role="complementary"', 'div role="contentinfo"'])
@pytest.mark.parametrize("content", ["main", "article", 'div role="main"'])
def test_asides_and_footers_within_the_content(element: str, content: str) -> None:
    aside = f"<{element}><p>Never run it dry: the seal burns.</p></{element.split(maxsplit=1)[0]}>"
    menu = f"<{element}>{LINKS}</{element.split(maxsplit=1)[0]}>"
    whole = f"<{content}><h1>Pump</h1>{aside}{TEXT}{menu}</{content.split(maxsplit=1)[0]}>"
    shown = read(whole + aside.replace("dry", "hot"))
    assert "Never run it dry: the seal burns." in shown
    assert "hot" not in shown
    assert "gauges" not in shown


@pytest.mark.parametrize("name", ["note", "admonition warning", "callout", "alert-danger", "docs-tip"])
def test_a_warning_is_content_wherever_it_stands(name: str) -> None:
    assert "burns" in read(f'{TEXT}<aside class="{name}">The seal burns.</aside>')
    assert "burns" not in read(f"{TEXT}<aside>The seal burns.</aside>")


@pytest.mark.parametrize(
    "folded",
    [
        "<details><summary>More</summary>{}</details>",
        '<div role="tabpanel" hidden>{}</div>',
        '<button aria-controls="p">More</button><div id="p" style="display: none">{}</div>',
        '<div class="tab-pane" aria-hidden="true">{}</div>',
        '<div class="accordion-content" hidden>{}</div>',
        '<div class="collapse" style="display:none">{}</div>',
        '<section hidden="until-found">{}</section>',
    ],
)
def test_what_is_folded_is_content(folded: str) -> None:
    assert "The seal burns." in read(TEXT + folded.format("<p>The seal burns.</p>"))


@pytest.mark.parametrize(
    "hidden",
    [
        *("<p hidden>{}</p>", '<p aria-hidden="true">{}</p>', '<p style="visibility : hidden">{}</p>'),
        *('<div role="dialog" id="d">{}</div><button aria-controls="d">x</button>', "<template>{}</template>"),
        *("<noscript>{}</noscript>", "<button>{}</button>", "<dialog open>{}</dialog>"),
    ],
)
def test_what_never_shows_is_none(hidden: str) -> None:
    assert read(TEXT + hidden.format("The seal burns.")) == read(TEXT)


def test_a_panel_has_the_name_of_its_tab_and_a_section_its_button() -> None:
    tabs = (
        '<div role="tablist"><button role="tab" id="t1">Linux</button><button role="tab" id="t2">macOS</button></div>'
    )
    panels = "".join(f'<div role="tabpanel" aria-labelledby="t{n}" hidden><p>Step {n}.</p></div>' for n in (1, 2, 3))
    assert read(tabs + panels) == "Linux\nStep 1.\nmacOS\nStep 2.\nStep 3."
    assert read("<h3><button aria-expanded=false>How do I cancel?</button></h3><p>Write.") == "How do I cancel?\nWrite."


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ('alt="Wiring of pump P7"', "See Wiring of pump P7 now"),
        *[(f'alt="{alt}"', "See now") for alt in ("", "logo", "IMG_1234.JPG", "Image")],
        ('alt="Wiring" role="presentation"', "See now"),
        ("src='data:image/png;base64,AAAA'", "See now"),
    ],
)
def test_what_stands_for_a_picture(image: str, shown: str) -> None:
    assert read(f"<p>See <img {image}> now</p>") == shown
    assert read(f"<table><tr><td>a</td><td>See <img {image}> now</td></tr></table>") == f"a | {shown}"


@pytest.mark.parametrize(
    ("href", "text", "shown"),
    [
        ("https://files.example.org/tool.zip", "here", "here (https://files.example.org/tool.zip)"),
        ("http://example.org/", "the form", "the form (http://example.org)"),
        ("https://example.org/a?id=7", "form", "form (https://example.org/a?id=7)"),
        ("https://example.org/a?" + "x" * 200, "form", "form (https://example.org/a)"),
        ("https://example.org/" + "x" * 200, "form", "form (https://example.org/\u2026)"),
        ("https://www.example.org/x", "www.example.org", "www.example.org"),
        ("mailto:help@example.org?subject=x", "write us", "write us (help@example.org)"),
        ("mailto:help@example.org", "help@example.org", "help@example.org"),
        ("tel:+49-30-1234", "call", "call (+49-30-1234)"),
        ("files/manual-v2.pdf", "manual", "manual (files/manual-v2.pdf)"),
        *[(href, "page", "page") for href in ("/wiki/Pump", "#top", "javascript:go()", "", "http://[", "//", "about")],
    ],
)
def test_where_a_link_leads(href: str, text: str, shown: str) -> None:
    assert read(f'<p>Get <a href="{href}">{text}</a>.</p>') == f"Get {shown}."


def test_links_of_markdown() -> None:
    assert (
        read_markdown("See the [form](https://x.example.org/f.pdf).") == "See the form (https://x.example.org/f.pdf)."
    )
    assert (
        read_markdown("See the [page](/wiki/Pump) and [mail us](mailto:a@b.org).")
        == "See the page and mail us (a@b.org)."
    )
    assert read_markdown("See <https://x.example.org>.") == "See https://x.example.org."


def test_values_of_a_saved_form() -> None:
    form = """<form action="/apply"><label>Name <input value="Bergmann"></label>
    <p>Plan <select><option>Silver</option><option selected>Gold plan</option></select></p>
    <p><input type="checkbox" checked> Oil <input type=checkbox> Gas</p><textarea>Note text</textarea>
    <input type="hidden" value="token"><input type="submit" value="Send"></form>"""
    assert read(form) == "Name Bergmann\nPlan Gold plan\n\u2612 Oil \u2610 Gas\nNote text"


@pytest.mark.parametrize(
    "form",
    [
        '<form action="/search"><label>Find <input value="pump"></label></form>',
        '<form id="login"><label>Name <input></label></form>',
        "<form><label>Name <input></label><input type=password></form>",
    ],
)
def test_forms_of_the_frame(form: str) -> None:
    assert read(TEXT + form) == read(TEXT)
    assert "Find" not in read(f"{TEXT}{form}")
    around = form.replace("</form>", f"{TEXT * 8}</form>")  # as pages of ASP.NET have it
    assert "forty bar" in read(around)


@pytest.mark.parametrize("display", ["block", "flex", "grid", "list-item", "table"])
def test_blocks_by_style_do_not_run_together(display: str) -> None:
    spans = f'<span style="display: {display}">Alpha</span><span style="color:red;display:{display}">Beta</span>'
    assert read(f"<div>{spans}</div>") == "Alpha\nBeta"
    assert read("<div><span>Al</span><span style='display:inline'>pha</span></div>") == "Alpha"


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("10<sup>6</sup> m<sup>2</sup>", "10\u2076 m\u00b2"),
        ("H<sub>2</sub>O", "H\u2082O"),
        ("<sup>3</sup>\u2044<sub>4</sub> inch", "3/4 inch"),
        ("x<sup>n+k</sup>", "x^(n+k)"),
        ("2<sup>nd</sup>", "2nd"),
        ("1 \u00be cup", "1 \u00be cup"),
        ('in 2020<sup><a href="#n1">1</a></sup> it', "in 2020[1] it"),
        ('in 2020<a href="#n1"><sup>[1]</sup></a> it', "in 2020[1] it"),
        ("E = mc<sup><b>2</b></sup>", "E = mc\u00b2"),
    ],
)
def test_powers_and_indices(markup: str, shown: str) -> None:
    assert read(f"<p>{markup}</p>") == shown
    assert read(f"<table><tr><td>a</td><td>{markup}</td></tr></table>") == f"a | {shown}"
    if "href" not in markup and "<b>" not in markup:
        assert read_markdown(markup) == shown


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("<mfrac><mn>3</mn><mn>4</mn></mfrac>", "3/4"),
        ("<mi>x</mi><mo>=</mo><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac>", "x = (a + b)/2"),
        ("<msup><mn>10</mn><mn>6</mn></msup><mo>\u2062</mo><mi>m</mi>", "10\u2076m"),
        ("<msub><mi>v</mi><mi>max</mi></msub>", "v_max"),
        ("<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>", "x\u2081\u00b2"),
        ("<msqrt><mi>x</mi></msqrt><mroot><mi>y</mi><mn>3</mn></mroot>", "\u221ax\u00b3\u221ay"),
        ("<munderover><mo>\u2211</mo><mn>1</mn><mi>n</mi></munderover><mi>k</mi>", "\u2211\u2081\u207fk"),
        ("<mfenced><mi>a</mi><mi>b</mi></mfenced>", "(a, b)"),
        ("<semantics><mi>y</mi><annotation>x^2</annotation></semantics>", "y"),
        ("<mtable><mtr><mtd>1</mtd><mtd>2</mtd></mtr><mtr><mtd>3</mtd><mtd>4</mtd></mtr></mtable>", "1, 2; 3, 4"),
    ],
)
def test_formulas(formula: str, shown: str) -> None:
    assert read(f"<p>Ratio <math>{formula}</math> done</p>") == f"Ratio {shown} done"


SEPARATORS = {
    "blanks": " a{}=1",
    "slashes": "/a{}",
    "quotes": ' a{}=">"',
    "no blanks": 'a{}=""',
    "signs": " =a{}",
    "<": " <a{}",
}


@pytest.mark.parametrize("attribute", SEPARATORS.values(), ids=SEPARATORS.keys())
def test_too_many_attributes_are_refused_at_once(attribute: str) -> None:
    def tag(count: int) -> str:
        return f"<p title='a'{''.join(attribute.format(number) for number in range(count))}>Rain.</p>"

    started = time.process_time()
    with pytest.raises(OversizedFile):
        read(tag(150_000))
    assert time.process_time() - started < 5
    assert "Rain." in read(tag(MAX_ATTRIBUTES - 100))


@given(st.text(alphabet="<>ab ='\"/!-supolihrefx\n1", max_size=300))
def test_any_markup_is_read_or_refused(markup: str) -> None:
    shown = read(f"<p>begin</p>{markup}")
    assert "begin" in shown
