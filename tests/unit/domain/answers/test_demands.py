import pytest

from modulo.domain.answers.demands import Demands, defines, demands_of, holds, keys_in, nearest, stems


@pytest.mark.parametrize(
    ("question", "codes", "numbers", "names"),
    [
        ("Where is part AB-1077 stored?", {"ab1077"}, set(), set()),
        ("Which bug does version 3.11.2 fix?", {"3.11.2"}, set(), set()),
        ("What were the sales in 2019?", set(), {"2019"}, set()),
        ("Who bought 1,000 shares in the 1990s?", set(), {"1000", "1990s"}, set()),
        ("What was FY2019 like?", set(), {"2019"}, set()),
        ("What was FY19 like?", set(), {"2019"}, set()),
        ("Is it 5?", set(), set(), set()),
        ("What did Ada Lovelace write?", set(), set(), {("ada", "lovelac")}),
        ("What is Galileo's view of the New World?", set(), set(), {("galileo",)}),
        ("Who was the first English king?", set(), set(), set()),
        ("Wie hoch ist die Pauschale im Ausland?", set(), set(), set()),  # nouns
        ("Wer testet mit Nadja Roth die Deckel?", set(), set(), {("nadja", "roth")}),
        ("Wie lange hat der Chef Zeit?", set(), set(), set()),  # two nouns behind an article
        ("Wer eicht die Waage?", set(), set(), set()),  # too short for its language to be known
    ],
)
def test_codes_numbers_and_names_are_demanded(
    question: str, codes: set[str], numbers: set[str], names: set[tuple[str, ...]]
) -> None:
    assert demands_of(question) == Demands(frozenset(codes), frozenset(numbers), frozenset(names))


def test_a_question_all_in_capitals_names_nobody() -> None:
    assert not demands_of("WHO WROTE THE REPORT").names
    assert not demands_of("Wer ist Leiter?", names=False)


def test_a_code_is_the_same_however_it_is_written() -> None:
    assert "ab1077" in keys_in("Part AB-1077, here") & keys_in("AB1077") & keys_in("AB 1077")
    assert "1000" in keys_in("1,000 pieces")
    assert "2019" in keys_in("FY19") & keys_in("FY 19") & keys_in("FY2019") & keys_in("FY 2019")
    assert {"1763", "1775"} <= keys_in("He built it (1763\u20131775).")
    assert "3.1.2" not in keys_in("Version 3.11.2.")


def test_names_are_held_without_their_accents_and_with_a_typing_error() -> None:
    assert holds([("celeron",)], frozenset(stems("C\u00e9leron came.")))
    assert holds([("quilfeather",)], frozenset(stems("Quillfeather Instruments")))
    assert holds([("nobody", "here")], frozenset({"here"}))
    assert not holds([("berlin",)], frozenset(stems("Warsaw is old.")))


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("warrenty", ["warranty", "weather"], "warranty"),
        ("wararnty", ["warranty"], "warranty"),
        ("handboook", ["handbook"], "handbook"),
        ("certficates", ["certificate"], "certificate"),
        ("cause", ["pause"], None),
        ("cat", ["car"], None),
        ("ab1077", ["ab1078"], None),
        ("house", ["horses"], None),
        ("leave", ["leavexyz"], None),
    ],
)
def test_the_nearest_word_begins_alike_and_differs_by_little(word: str, known: list[str], expected: str | None) -> None:
    assert nearest(word, known) == expected


def test_a_month_beside_a_number_is_no_name() -> None:
    demands = demands_of("What did Ada owe as of December 31, 2019, and on 3 Sept 2018?")
    assert demands.names == frozenset({("ada",)})
    assert demands.numbers == frozenset({"31", "2019", "2018"})
    assert demands_of("What does Ada owe in December?").names == frozenset({("ada",), ("december",)})
    assert demands_of("Who paid in May?").names == frozenset()  # may is a stop word


@pytest.mark.parametrize(
    ("date", "numbers"),
    [("2031-02-10", {"2031", "10"}), ("10.02.2031", {"2031", "10"}), ("9/4/2031", {"2031"}), ("2031-02-05", {"2031"})],
)
def test_a_date_in_figures_demands_what_one_in_words_holds(date: str, numbers: set[str]) -> None:
    assert demands_of(f"What was decided on {date}?").numbers == numbers
    assert numbers <= keys_in(f"on {date}, too")
    assert not demands_of(f"What was decided on {date}?").codes


@pytest.mark.parametrize(
    "text",
    [
        "E-12 means no water.",
        "E 12 stands for no water.",
        "E-12: no water.",
        "No water (E-12).",
        "Code E-12 is shown then.",
    ],
)
def test_a_text_defines_a_code(text: str) -> None:
    assert defines(text, {"e12"})


@pytest.mark.parametrize("text", ["After E-12 it restarts.", "If E-12 is shown, call.", "Write E-12.", "E-13: dry."])
def test_or_only_names_it(text: str) -> None:
    assert not defines(text, {"e12"})
