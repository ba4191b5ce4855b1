"""Limits, told in other words than they are asked for."""

import pytest

from modulo.domain.answers.limits import Limit, limit_of


def told(question: str, text: str, above: str = "") -> bool:
    limit = limit_of(question)
    assert limit is not None
    return limit.told_by(text, above)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What is the maximum humidity?", "The humidity must not exceed 60 percent."),
        ("How many guests may a tenant bring at most?", "A tenant may bring up to four guests."),
        ("What is the upper limit for cash payments?", "Cash payments of no more than 500 euros are accepted."),
        ("maximum upload size", "Uploads are limited to 200 MB."),
        ("What is the maximum weight of a rucksack?", "A rucksack may not be heavier than 9 kg."),
        ("Wie viele Hunde darf ich höchstens mitbringen?", "Sie dürfen bis zu zwei Hunde mitbringen."),
        ("Wie hoch darf der Zaun maximal sein?", "Zäune aus Holz: Der Zaun darf nicht höher als 2 Meter sein."),
        ("Was ist die Höchsttemperatur im Lager?", "Die Lagertemperatur darf 8 Grad nicht überschreiten."),
        ("Wie lange darf ein Fahrrad maximal stehen?", "Ein Fahrrad darf höchstens 14 Tage stehen."),
        ("Wie schnell dürfen Boote höchstens fahren?", "Boote dürfen nicht schneller als 6 km/h fahren."),
        ("What is the minimum age for divers?", "Divers must not be younger than 12 and state their age."),
        ("What is the minimum order?", "An order has at least ten pieces."),
        ("What must the balance be at least?", "The balance must not fall below 1,000 euros."),
        ("Welche Mindestmenge gilt für Kies?", "Kies wird ab Werk geliefert, wenigstens 5 Tonnen."),
        ("Wie viele Prüfer müssen mindestens anwesend sein?", "Nicht weniger als drei Prüfer müssen anwesend sein."),
    ],
)
def test_a_limit_is_told_in_other_words(question: str, text: str) -> None:
    assert told(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What is the maximum humidity?", "Humidity is measured every 6 hours."),
        ("What is the maximum humidity?", "The temperature must not exceed 30 degrees."),
        ("What is the maximum humidity?", "The humidity must not exceed what the maker allows."),
        ("What is the maximum humidity?", "The humidity must be at least 20 percent."),
        ("What is the maximum weight of a rucksack?", "A rucksack may hold up to 40 litres."),
        ("Wie viele Hunde darf ich höchstens mitbringen?", "Sie dürfen bis zu zwei Katzen mitbringen."),
        ("Was ist die Mindestbreite der Tür?", "Die Tür ist höchstens 2 Meter breit."),
    ],
)
def test_what_limits_nothing_or_something_else_does_not_tell_it(question: str, text: str) -> None:
    assert not told(question, text)


def test_some_of_what_is_limited_may_stand_above() -> None:
    asked = "What is the maximum load of the green shelf?"
    assert told(asked, "The load must not exceed 80 kg.", "Green shelf")
    assert not told(asked, "It holds up to 80 kg.", "Green shelf: load")


@pytest.mark.parametrize(
    "question", ["What is the humidity?", "Which rooms have at least 20 seats?", "Was ist das Maximum?"]
)
def test_other_questions_are_for_no_limit(question: str) -> None:
    assert limit_of(question) is None


def test_how_much_of_what_is_no_part_of_the_subject() -> None:
    assert limit_of("How deep may a pond be at most?") == Limit(most=True, subject=frozenset({"pond"}))
