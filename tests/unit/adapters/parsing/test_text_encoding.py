# ruff: noqa: RUF001  # letters of several scripts look alike
"""Texts of many languages in the encodings of their time, with wrong labels, damage, and too little to tell by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.adapters.parsing.text_decoding import clean, decode
from modulo.adapters.parsing.text_encoding import encoding_of, labelled_encoding, sample_of

RUSSIAN = "Насос работает при давлении сорок бар. Замена фильтра каждые шесть месяцев, гарантия два года."
CHINESE = "水泵每六个月检查一次，保修期为两年。如有泄漏，请立即关闭阀门并通知维修部门。"
TEXTS = {
    CHINESE: ("gb18030", "gbk"),
    "水泵每六個月檢查一次，保固期為兩年。如有洩漏，請立即關閉閥門並通知維修部門。": ("big5",),
    "ポンプは六か月ごとに点検してください。保証期間は二年です。漏れがある場合はバルブを閉めます。": (
        "cp932",
        "euc_jp",
        "iso2022_jp",
    ),
    "펌프는 육 개월마다 점검합니다. 보증 기간은 이 년입니다. 누수가 있으면 밸브를 잠그십시오.": ("cp949", "euc_kr"),
    RUSSIAN: ("cp1251", "koi8-r", "cp866", "iso8859-5"),
    "Насос працює під тиском. Заміна фільтра кожні шість місяців, її гарантія два роки.": ("cp1251", "koi8-u"),
    "Pompę należy sprawdzać co sześć miesięcy. Gwarancja trwa dwa lata, później płaci właściciel.": (
        "cp1250",
        "iso8859-2",
    ),
    "Čerpadlo kontrolujte každých šest měsíců. Záruka trvá dva roky, potom platí majitel domu.": ("cp1250",),
    "A szivattyút hathavonta ellenőrizni kell. A jótállás két évig tart, utána a tulajdonos fizet érte.": ("cp1250",),
    "Η αντλία ελέγχεται κάθε έξι μήνες. Η εγγύηση ισχύει για δύο χρόνια.": ("cp1253", "iso8859-7"),
    "Pompa altı ayda bir kontrol edilmelidir. Garanti süresi iki yıldır, değişim ücreti şirkete aittir.": ("cp1254",),
    "את המשאבה בודקים כל שישה חודשים. האחריות תקפה לשנתיים.": ("cp1255",),
    "يجب فحص المضخة كل ستة أشهر. مدة الضمان سنتان من تاريخ الشراء.": ("cp1256",),
    "ต้องตรวจสอบปั๊มทุกหกเดือน รับประกันสองปีนับจากวันที่ซื้อ": ("cp874",),
    "Die Pumpe läuft mit 40 bar; für die Prüfung zahlt Müller 20 €, gemäß § 5 (“grün”).": ("cp1252",),
    "Le contrat dure deux ans ; l'été, la vérification coûte « moins cher » à l'élève où il naît.": (
        "cp1252",
        "mac-roman",
    ),
    "Le Größenmaß der Tür: Übermaß für Öl, ähnlich": ("cp850",),
    "Der Vertrag läuft über drei Jahre. Müller zahlt die Prüfung, gemäß Größe.": ("cp437", "mac-roman"),
}


@pytest.mark.parametrize(("text", "encoding"), [(text, each) for text, every in TEXTS.items() for each in every])
@pytest.mark.parametrize("times", [1, 30])
def test_the_encoding_is_found(text: str, encoding: str, times: int) -> None:
    whole = "\n".join([text] * times)
    assert decode(whole.encode(encoding)) == whole


@pytest.mark.parametrize(
    "text", [RUSSIAN, CHINESE, "Pump 7 works.", "Müller zahlt 20 €.", "펌프 점검", "ポンプ 点検 A-12"]
)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(text: str, encoding: str) -> None:
    assert decode(f"{text}\n{text}\n".encode(encoding)) == f"{text}\n{text}\n"


@pytest.mark.parametrize(
    "text",
    [
        *("Müller", "Zoë", "naïve café", "Jürgen zahlt 20 €", "“quoted” – 20 €", "Peso: 20 µg, 5 °C", "© 2024 Ada"),
        *("½ cup", "price £20", "Ærø Øl", "Straße 5\n" * 30, "don’t, it’s – can’t… “x”\n" * 10, "São Paulo não é"),
    ],
)
def test_a_few_accents_are_western_european(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Kwota jest płatna do marca, ale nie później.", "cp1250"),
        ("Smlouva je platná, ale není úplná, jak byla.", "cp1250"),
        ("Bütçe onaylandı ve ödendi.", "cp1254"),
        ("Det er også betalt, men ikke stort.", "cp1252"),
        ("Udvalget mødtes og godkendte det.", "cp1252"),
    ],
)
def test_the_words_tell_where_letters_are_too_few(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("label", ["iso-8859-1", "latin1", "us-ascii", "windows-1251", "gb2312", "nonsense", None])
def test_valid_utf_8_wins_over_any_label(label: str | None) -> None:
    assert decode("Größe für Müller – 20 €".encode(), label) == "Größe für Müller – 20 €"


@pytest.mark.parametrize(
    ("label", "text", "encoding"),
    [
        ("iso-8859-1", "“20 €” – Œuvre", "cp1252"),
        ("ISO_8859-1:1987", "20 €", "cp1252"),
        ("gb2312", "公司：镕 堃", "gb18030"),
        ("shift_jis", "①髙橋", "cp932"),
        ("ks_c_5601-1987", "똠방각하", "cp949"),
        ("iso-8859-9", "İş “ağ”", "cp1254"),
        ("tis-620", "ปั๊ม “ดี”", "cp874"),
        ('"koi8-r"', "Москва", "koi8-r"),
        ("x-sjis", "点検", "cp932"),
        ("iso-2022-jp", "点検", "iso2022_jp"),
    ],
)
def test_a_label_means_what_browsers_take_it_for(label: str, text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), label) == text


@pytest.mark.parametrize("label", ["", None, "rot13", "base64", "idna", "unicode_escape", "punycode", "utf-99", "\0"])
def test_what_is_no_character_set_is_no_label(label: str | None) -> None:
    assert labelled_encoding(label) is None


def test_a_label_that_does_not_fit_is_passed_over() -> None:
    assert decode(RUSSIAN.encode("cp1251"), "utf-8") == RUSSIAN
    assert decode(RUSSIAN.encode("koi8-r"), "euc-jp") == RUSSIAN


@given(st.integers(0, 40), st.sampled_from([b"\xff", b"\xc3", b"\x80", b"\xe2\x82"]))
def test_a_damaged_byte_costs_one_character(at: int, damage: bytes) -> None:
    words = ["Müller zahlt 20 € für die Prüfung."] * 41
    whole = b"\n".join(word.encode() + damage * (number == at) for number, word in enumerate(words))
    lines = decode(whole, "iso-8859-1").split("\n")
    assert [line.rstrip("\ufffd") for line in lines] == words
    assert lines[at].endswith("\ufffd")


def test_a_label_forgives_a_damaged_byte() -> None:
    text = RUSSIAN.encode("cp1251")[:20] + b"\x98" + RUSSIAN.encode("cp1251")[20:]
    assert decode(text, "windows-1251") == f"{RUSSIAN[:20]}\ufffd{RUSSIAN[20:]}"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_utf_8_stays_what_it_is(text: str) -> None:
    if encoding_of(text.encode()) == "utf-8":
        assert text.encode().decode(encoding_of(text.encode())) == text
    else:  # only texts of control characters and shifts are taken for others
        assert any(character < " " for character in text)


@given(st.binary(max_size=3_000), st.sampled_from([None, "utf-8", "gb2312", "utf-7", "iso-2022-kr"]))
def test_any_bytes_have_an_encoding(found: bytes, label: str | None) -> None:
    found.decode(encoding_of(found, label), "replace")


def test_the_sample_is_where_the_accents_are() -> None:
    whole = b"plain\n" * 100_000 + RUSSIAN.encode("cp1251") + b"\n" + b"plain\n" * 100_000
    assert RUSSIAN.encode("cp1251") in sample_of(whole)
    assert len(sample_of(whole)) <= 64 * 1024
    assert len(sample_of(b"\xc4" * 1_000_000)) == 64 * 1024
    assert sample_of(b"x" * 100_000) == b"x" * 64 * 1024


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[31mERROR\x1b[0m disk full", "ERROR disk full"),
        ("\x1b[1;38;5;196mred\x1b[K\x1b[m", "red"),
        ("\x1b]0;window title\x07text", "text"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("N\x08NA\x08AM\x08ME\x08E _\x08f_\x08o", "NAME fo"),
        ("\x1b(B\x1b=plain", "plain"),
        ("no [31m code", "no [31m code"),
    ],
)
def test_codes_of_terminals_are_no_text(written: str, shown: str) -> None:
    assert clean(written) == shown
