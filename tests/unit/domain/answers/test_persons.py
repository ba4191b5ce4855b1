"""Questions for somebody, and texts that may name somebody."""

import pytest

from modulo.domain.answers.persons import asks_name, may_name, tells_of


@pytest.mark.parametrize(
    "question",
    [
        "Who runs the bakery?",
        "Who is responsible for the keys?",
        "Who was the architect of the bridge?",
        "Who wrote the report?",
        "Who is in charge?",
        "Wer leitet den Chor?",
        "Wer ist für die Schlüssel verantwortlich?",
        "Wer ist der Hausmeister?",
        "Wer hat die Brücke gebaut?",
        "Wer vertritt den Verein?",
    ],
)
def test_the_one_who_leads_owns_or_made_something_is_asked_for(question: str) -> None:
    assert asks_name(question)


@pytest.mark.parametrize(
    "question",
    [
        "Who may use the sauna?",
        "Who has to pay more?",
        "Who is it for?",
        "When does the choir meet?",
        "Wer darf in die Sauna?",
        "Wer zahlt mehr?",
        "Wer zu spät kommt, zahlt was?",
    ],
)
def test_a_group_of_people_may_have_no_name(question: str) -> None:
    assert not asks_name(question)


@pytest.mark.parametrize(
    "text",
    [
        "The bakery was opened by two sisters.",
        "Ask Nadja for the keys.",
        "Kim Osei is in on Mondays.",
        "The treasurer keeps the books.",
        "Keys | Ms Ferro",
        "Der Chor wird von Ehrenamtlichen geleitet.",
        "Den Chor leitet Frau Ott.",
        "Anmeldung bei Lena Roth.",
        "Die Schlüssel hat die Hausverwaltung.",
        "Gebaut hat sie die Firma Stahl & Söhne GmbH.",
        "合唱团由王芳领导。",
    ],
)
def test_a_name_a_title_or_a_role_may_be_the_answer(text: str) -> None:
    assert may_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "The bakery opens at six.",
        "The choir sings every week.",
        "Bread is baked by 5 am.",
        "In the morning it is closed.",
        "Der Chor probt montags im großen Saal.",
        "Die Probe dauert von 18 bis 20 Uhr.",
        "Kinder werden nur von 8 bis 12 Uhr betreut.",
        "Wer zu spät kommt, zahlt zwei Euro in die Kasse.",
        "Das Haus wird im Winter geheizt.",
    ],
)
def test_times_and_things_name_nobody(text: str) -> None:
    assert not may_name(text)


def test_words_of_one_family_tell_of_the_same() -> None:
    assert tells_of({"leitet", "chor"}, "Chor Nord: Die Leitung hat Frau Ott.")
    assert not tells_of({"leitet", "chor"}, "Chor Nord: Die Kasse hat Frau Ott.")
    assert not tells_of({"leitet", "sauna"}, "Chor Nord: Die Leitung hat Frau Ott.")
