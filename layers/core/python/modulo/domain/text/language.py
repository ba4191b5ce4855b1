# ruff: noqa: RUF001, E501  # letters of several scripts look alike; a language is a line
"""Language detection, by the script and the most frequent words of a text."""

import re
from collections import Counter
from collections.abc import Mapping

SAMPLE_CHARACTERS = 4_000
"""How many characters of a text are examined."""

_WORD = re.compile(r"[^\W\d_]+")
_FEWEST_HITS = 2
_ONE_WORD = 12  # what a word counts that no other language has
_LEAST_SCORE = 9  # of all words together
_LEAST_SHARE = 0.15  # of all words
_LEAD = 1.5  # times the second best
_SCRIPT_SHARE = 0.3  # of all letters: other scripts carry names and formulas from elsewhere
_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ja", re.compile("[\u3040-\u30ff]")),  # before Chinese: Japanese has both
    ("ko", re.compile("[\u1100-\u11ff\uac00-\ud7af]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("el", re.compile("[\u0370-\u03ff\u1f00-\u1fff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("ka", re.compile("[\u10a0-\u10ff]")),
    ("hy", re.compile("[\u0530-\u058f]")),
    ("ta", re.compile("[\u0b80-\u0bff]")),
    ("te", re.compile("[\u0c00-\u0c7f]")),
    ("bn", re.compile("[\u0980-\u09ff]")),
)
_KANA_SHARE = 0.1  # of a Japanese text in which Chinese signs prevail
_COMMON: Mapping[str, str] = {
    "en": "the of and to in is that for it was on are with as be this by at from or have not which has were had will you your can if any all each must may when what how per due new more no within after before between under days day",
    "de": "der die und das den von zu mit sich des auf für ist im dem nicht ein eine als auch es werden aus sie wird am bei nach vom zum zur bis oder wie wenn nur sind hat kann muss ab unter über vor pro um an ihr ihre innerhalb jahr jahre tage tagen seite nummer",
    "fr": "le la les de des et à un une du en que est pour qui dans par plus pas sur au avec ce il sont aux cette ou si nous vous leur leurs son ses ne se sans sous entre être jours après avant tout l d qu n",
    "es": "el la los de las y en que un una por con para es del se no al como más su lo este fue son esta entre hasta desde sin sobre o le les está están debe puede días si hay muy todo",
    "it": "il di che la e un una per è in con non del della si le dei gli sono al nel alla più come anche dal delle ai nella degli o se entro deve può giorni sia lo questo",
    "pt": "o de a que e do da em um uma para com não os as no na por mais dos como se foi ao das são pelo à é até sem ou seu sua deve pode dias pela nos nas ser",
    "nl": "de het een van en in is dat op te voor met zijn niet aan er ook die om bij door als wordt naar uit heeft tot of moet kan dagen deze dit onder binnen geen hij zij uw per",
    "sv": "och att det som en på är av för med till den inte har de ett om var vid från kan under ska eller efter inom dagar måste vara när du din",
    "da": "og at det som en på er af for med til den ikke har de et der var ved fra kan blev eller efter også jeg inden dage skal være når du din",
    "no": "og at det som en på er av for med til den ikke har de et var ved fra kan ble eller etter også jeg om innen dager må skal være når du din",
    "fi": "ja on ei että se oli hän mutta ovat joka kun myös niin tai kuin sen ole mukaan vuonna sekä jos olla voi kanssa päivää tulee",
    "pl": "i w na z się nie do to że jest o jak od po przez za dla są oraz przy być który jego także czy ma tym lub ciągu dni wynosi może które",
    "cs": "a v se na je že s z do o i to jako za by pro jsou ve od které byl po nebo podle také není může této při činí dnů lze musí pokud jeho která",
    "sk": "a v sa na je že s z do o aj to ako za by pre sú vo od ktoré bol po alebo podľa tiež nie môže tejto pri dní musí ak jeho ktorá",
    "ro": "și de în a la cu un o care este pe din nu se pentru că sau mai prin fost ale sunt ce fi al după dar zile trebuie poate dacă",
    "hu": "a az és hogy nem is egy ez volt meg de csak már van el vagy mint azt ha kell után még között lehet szerint nap",
    "tr": "ve bir bu da de için ile olarak çok daha olan gibi kadar ne ise en sonra var her ya değil tarafından oldu veya gün olmalıdır göre",
    "id": "yang dan di untuk dengan dari ini pada dalam adalah tidak itu akan ke oleh juga sebagai atau telah dapat hari harus anda",
    "vi": "và của là có được cho không trong một các với những này để người khi đã từ đến về năm cũng như ra hoặc ngày phải nếu",
    "ru": "и в не на что с по как это из для он к от но его а или она так был все при также которые может было срок дней до после если быть составляет за их",
    "uk": "і в не на що з до як це та для він від але його або вона так був усі при також які може у є за й термін днів після якщо бути",
    "bg": "и в не на че с по като това от за той към но му а или тя така беше при също които може е се да са срок дни след ако трябва",
    "ar": "في من على إلى أن التي عن هذا مع كان الذي هذه ما لا ذلك بين كل أو قد بعد كما هو هي ثم عند خلال يوم أيام لم لن يجب",
    "fa": "و در به از که این را با است برای آن یک خود تا بر هم نیز شد می ها بود شده اند یا روز باید اگر",
    "hi": "के में की है और से का को पर यह कि एक लिए हैं ने भी इस नहीं तो था हो किया गया या दिन",
}
# Letters and endings that words of these languages have and most others lack.
_SIGNS: Mapping[str, re.Pattern[str]] = {
    code: re.compile(pattern)
    for code, pattern in {
        "en": r"^(?:th|wh)\w|(?<=\w\w\w)(?:ing|ed|tions?|ments?|ness|ly|ship|able|ity|ght|days)$",
        "de": r"[ßäöü]|sch|(?<=\w\w\w)(?:ung|ungen|heit|keit|schaft|lich|liche[rnms]?|tät|tage?|zahl|ruch|zeit|tzt)$",
        "fr": r"[àâçèêëîïôûœé]|(?<=\w\w\w)(?:ment|aux|euse|ique|ère)$",
        "es": r"[ñáéíóú]|(?<=\w\w)(?:ción|ciones|dad|idades)$",
        "pt": r"[ãõáâçéêíóôú]|(?<=\w\w)(?:ção|ções|dade)$",
        "it": r"[àèìòù]|(?<=\w\w\w)(?:zione|zioni|mento|menti)$",
        "nl": r"ij|(?:aa|uu)[^aeiou]|(?<=\w\w\w)(?:heid|lijk)$",
        "sv": "[åäö]",
        "da": "[æøå]",
        "no": "[æøå]",
        "fi": r"[äö]|(?<=\w\w)(?:ssa|ssä|lla|llä|nen|aa|ää)$",
        "pl": "[ąćęłńśźżó]",
        "cs": "[ěřůňťďáčéíšúýž]",
        "sk": "[ľĺŕôäáčéíňšťúýž]",
        "ro": "[ăâîșțşţ]",
        "hu": "[őűáéíóöúü]",
        "tr": "[ğışçöü]",
        "vi": "[đơưạ-ỹăâêô]",
        "ru": "[ыэё]",
        "uk": "[іїєґ]",
        "bg": r"\wъ\w",
    }.items()
}
# The first and last letter of scripts that several languages have, and letters by which to tell them, in order.
_BY_LETTER: tuple[tuple[str, str, tuple[tuple[re.Pattern[str], str | None], ...]], ...] = (
    (
        "\u0620",
        "\u06d3",
        (
            (re.compile("[ٹڈڑںے]"), None),  # Urdu, which is not told
            (re.compile("[پچژگکی]"), "fa"),
            (re.compile("."), "ar"),
        ),
    ),
    (
        "\u0400",
        "\u052f",
        (
            (re.compile("[ўјљњћђџ]"), None),  # Belarusian, Serbian and others
            (re.compile("[іїєґ]"), "uk"),
            (re.compile("[ыэё]"), "ru"),
            (re.compile("ъ"), "bg"),
        ),
    ),
    ("\u0900", "\u097f", ((re.compile("."), "hi"),)),
)
_HINDI_WORD = re.compile("[\u0900-\u097f]+")  # its vowel signs are no letters to `\\w`


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language most of the text is in, None where that is unclear.

    Examines the first `SAMPLE_CHARACTERS` characters; deterministic.
    """
    sample = text[:SAMPLE_CHARACTERS].lower()
    letters = sum(map(str.isalpha, sample))
    if not letters:
        return None
    return _by_script(sample, letters) or _by_words(sample) or _by_letters(sample, letters)


def language_named(tag: str) -> str | None:
    """The ISO 639-1 code of a language tag such as `en-GB`; None where it is unknown."""
    code = re.split("[-_]", tag.strip().lower(), maxsplit=1)[0]
    code = {"nb": "no", "nn": "no"}.get(code, code)
    return code if code in _CODES else None


def _by_script(sample: str, letters: int) -> str | None:
    counts = {code: len(pattern.findall(sample)) for code, pattern in _SCRIPTS}
    if counts["ja"] + counts["zh"] >= _SCRIPT_SHARE * letters:
        return "ja" if counts["ja"] >= _KANA_SHARE * (counts["ja"] + counts["zh"]) else "zh"
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] >= _SCRIPT_SHARE * letters else None


def _by_words(sample: str) -> str | None:
    """By the commonest words, and letters and endings of others; what several languages have counts only in part."""
    words = Counter(_WORD.findall(sample)) + Counter(_HINDI_WORD.findall(sample))
    scores: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for word, times in words.items():
        known = _LANGUAGES.get(word) or tuple(code for code, sign in _SIGNS.items() if sign.search(word))
        for code in known:
            hits[code] += times
            scores[code] += times * _ONE_WORD // len(known)  # whole numbers: no order of summing changes them
    ranked = [*scores.most_common(2), ("", 0), ("", 0)]
    (best, most), (_, second) = ranked[0], ranked[1]
    enough = hits[best] >= max(_FEWEST_HITS, _LEAST_SHARE * words.total()) and most >= _LEAST_SCORE
    return best if best and enough and most >= _LEAD * second else None


def _by_letters(sample: str, letters: int) -> str | None:
    """By letters that only one language of a script has, where most letters are of that script."""
    for first, end, signs in _BY_LETTER:
        if sum(first <= letter <= end for letter in sample) * 2 >= letters:
            return next((code for sign, code in signs if sign.search(sample)), None)
    return None


def _languages() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for code, words in _COMMON.items():
        for word in words.split():
            found[word] = (*found.get(word, ()), code)
    return found


_LANGUAGES = _languages()
_CODES = frozenset([*_COMMON, *(code for code, _ in _SCRIPTS)])
