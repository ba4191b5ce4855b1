# ruff: noqa: RUF001, E501  # letters of several scripts look alike; a sentence is a line
"""Which language a text is in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.text.language import SAMPLE_CHARACTERS, language_named, language_of

TEXTS = {
    "en": "The committee met in March and approved the budget of the town, which was not as large as it had been.",
    "de": "Der Ausschuss traf sich im März und genehmigte den Haushalt der Stadt, der nicht so groß war wie zuvor.",
    "fr": "Le comité s'est réuni en mars et a approuvé le budget de la ville, qui est plus petit que dans le passé.",
    "es": "El comité se reunió en marzo y aprobó el presupuesto de la ciudad, que no es tan grande como el pasado.",
    "it": "Il comitato si è riunito a marzo e ha approvato il bilancio della città, che non è grande come quello.",
    "pt": "O comité reuniu-se em março e aprovou o orçamento da cidade, que não é tão grande como o do ano passado.",
    "nl": "De commissie kwam in maart bijeen en keurde de begroting van de stad goed, die niet zo groot is als het was.",
    "sv": "Kommittén träffades i mars och godkände stadens budget, som inte är lika stor som den var, men det är bra.",
    "da": "Udvalget mødtes i marts og godkendte byens budget, som ikke er så stort, men det blev også betalt af staten.",
    "no": "Utvalget møttes i mars og godkjente byens budsjett, som ikke er så stort, men det ble også betalt etter en tid.",
    "fi": "Valiokunta kokoontui ja hyväksyi kaupungin talousarvion, joka ei ole niin suuri kuin se oli, mutta on hyvä.",
    "pl": "Komisja spotkała się w marcu i zatwierdziła budżet miasta, który nie jest tak duży, ale to się nie zmieni.",
    "cs": "Výbor se sešel v březnu a schválil rozpočet města, který není tak velký, jako byl, ale je to také dobré pro ně.",
    "sk": "Výbor sa stretol v marci a schválil rozpočet mesta, ktoré nie je veľké, ako bol vlani, ale je to tiež dobré.",
    "ro": "Comitetul s-a întrunit în martie și a aprobat bugetul orașului, care nu este mare, dar se va plăti din fonduri.",
    "hu": "A bizottság márciusban ült össze, és jóváhagyta a város költségvetését, ami nem nagy, de már az is elég volt.",
    "tr": "Komite mart ayında toplandı ve bütçeyi onayladı; bu bütçe geçen yıl kadar büyük değil ama daha iyi bir plan.",
    "id": "Komite bertemu pada bulan Maret dan menyetujui anggaran kota yang tidak sebesar tahun lalu untuk warga.",
    "vi": "Ủy ban đã họp vào tháng ba và thông qua ngân sách của thành phố, không lớn nhưng cũng được trả cho người dân.",
    "ru": "Комитет собрался в марте и утвердил бюджет города, который не так велик, но это было хорошо для всех.",
    "uk": "Комітет зібрався у березні й затвердив бюджет міста, який не такий великий, але це було добре для всіх.",
    "bg": "Комитетът се събра през март и одобри бюджета на града, който не е голям, но това е добре и ще се плати от тях.",
    "ar": "اجتمعت اللجنة في مارس ووافقت على ميزانية المدينة التي لا تزيد عن ميزانية العام الماضي، ولكن هذا من أجل الناس",
    "fa": "کمیته در ماه مارس تشکیل جلسه داد و بودجه شهر را تصویب کرد که به اندازه سال گذشته نیست اما برای مردم خوب است",
    "hi": "समिति की बैठक मार्च में हुई और शहर के बजट को मंजूरी दी गई जो पिछले साल की तुलना में बड़ा नहीं है",
    "ja": "委員会は三月に開かれ、市の予算を承認しました。",
    "zh": "委员会于三月召开会议,批准了该市的预算。",
    "ko": "위원회는 3월에 만나 예산을 승인했다.",
    "el": "Η επιτροπή συνεδρίασε τον Μάρτιο.",
    "he": "הוועדה התכנסה במרץ",
    "th": "คณะกรรมการประชุมในเดือนมีนาคม",
}


@pytest.mark.parametrize("code", TEXTS)
def test_a_sentence_is_enough(code: str) -> None:
    assert language_of(TEXTS[code]) == code


SHORT = {
    "de": "Resturlaub verfällt am 31. März.|Die Frist endet am 15. des Monats.|Die Pumpe läuft.|Urlaubsanspruch: 30 Tage|Rückgabe innerhalb von 14 Tagen|Zahlung nach Prüfung",
    "en": "The pump runs at 40 bar.|Payment due in 30 days|Return within 14 days of delivery|What the warranty covers",
    "fr": "Le délai de paiement est de trente jours.|Congés payés : 25 jours par an|La pompe est à l'arrêt",
    "es": "El plazo de pago es de treinta días.|La bomba está en el sótano|Vacaciones: 30 días por año",
    "it": "Il termine di pagamento è di 30 giorni.|La pompa è nella cantina",
    "pt": "O prazo de pagamento é de 30 dias.|As férias não são pagas",
    "nl": "De betalingstermijn is 30 dagen.|Het verlof vervalt op 31 maart",
    "pl": "Termin płatności wynosi 30 dni.|Urlop należy wykorzystać do marca",
    "ru": "Срок оплаты тридцать дней.|Насосы в подвале|Отпуск сгорает 31 марта, выплаты нет",
    "uk": "Термін оплати тридцять днів, її|Відпустка згорає 31 березня",
    "ar": "تنتهي الإجازة في ٣١ مارس|مدة الدفع ثلاثون يوما|سعر المضخة",
    "fa": "مدت پرداخت سی روز است|پمپ در زیرزمین",
    "hi": "पंप तहखाने में है|भुगतान अवधि तीस दिन",
    "he": "מועד התשלום",
    "th": "กำหนดชำระเงิน",
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, every in SHORT.items() for text in every.split("|")])
def test_a_few_words_are_enough(code: str, text: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize(
    "text", ["دستاویز کے لیے ٹیسٹ", "Дакумент ўсім", "Пумпа је љута", "кот", "Invoice total", "Müller GmbH"]
)
def test_a_few_words_of_others_are_not_told(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize("text", ["", "12 + 34", "Water", "North 1,200 South 980 East 77", "a b c d e f g"])
def test_what_is_not_plain_is_not_told(text: str) -> None:
    assert language_of(text) is None


def test_languages_in_equal_parts_are_not_told() -> None:
    assert language_of(f"{TEXTS['en']} {TEXTS['de']} {TEXTS['fr']} {TEXTS['es']}") is None


def test_names_in_another_script_change_nothing() -> None:
    assert language_of(f"{TEXTS['en']} 委員会") == "en"


def test_only_the_beginning_counts() -> None:
    english = (TEXTS["en"] + " ") * (SAMPLE_CHARACTERS // len(TEXTS["en"]) + 1)
    assert language_of(english + TEXTS["de"] * 1_000) == "en"


@given(st.text())
def test_any_text_has_one_answer(text: str) -> None:
    assert language_of(text) == language_of(text)


@pytest.mark.parametrize(
    ("tag", "code"), [("en-GB", "en"), ("pt_BR", "pt"), (" DE ", "de"), ("nb-NO", "no"), ("x-none", None), ("", None)]
)
def test_tags(tag: str, code: str | None) -> None:
    assert language_named(tag) == code
