"""Characters of symbol fonts, whose codes are not Unicode: ticks, boxes, arrows and Greek letters."""

_PRIVATE = 0xF000
_MAX_CODED = 3
_WINGDINGS = {
    0x22: "✂", 0x28: "☎", 0x2A: "✉", 0x4A: "☺", 0x4B: "😐", 0x4C: "☹", 0x6C: "●", 0x6D: "○", 0x6E: "■", 0x6F: "☐",
    0x70: "☐", 0x71: "☐", 0x72: "☐", 0x73: "◆", 0x74: "◆", 0x75: "◆", 0x76: "❖", 0x77: "◆", 0x9E: "•", 0x9F: "•",
    0xA0: "•", 0xA1: "○", 0xA4: "◉", 0xA7: "•", 0xA8: "☐", 0xAB: "★", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑",
    0xE2: "↓", 0xE7: "←", 0xE8: "→", 0xE9: "↑", 0xEA: "↓", 0xEF: "⇦", 0xF0: "⇨", 0xF3: "⇔", 0xFB: "✗", 0xFC: "✓",
    0xFD: "☒", 0xFE: "☒",
    **{0x81 + number: chr(0x2460 + number) for number in range(10)},
    **{0x8C + number: chr(0x2776 + number) for number in range(10)},
}  # fmt: skip
_WINGDINGS_2 = {
    0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☒", 0x53: "☒", 0x54: "☒", 0x97: "●", 0xA2: "■", 0xA3: "☐", 0x2A: "☐",
}  # fmt: skip
_WINGDINGS_3 = {0x66: "←", 0x67: "→", 0x68: "↑", 0x69: "↓", 0x75: "▶", 0x74: "◀", 0x70: "▲", 0x71: "▼"}
_WEBDINGS = {0x61: "✓", 0x63: "☐", 0x67: "■", 0x6E: "●", 0x72: "✗"}
_GREEK = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"  # these letters are the ones meant
_CAPITALS = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ"
_SYMBOL = {
    **{number: chr(number) for number in range(0x20, 0x40)},
    0x22: "∀", 0x24: "∃", 0x27: "∋", 0x2A: "\u2217", 0x2D: "\u2212", 0x40: "≅", 0x5B: "[", 0x5C: "∴", 0x5D: "]",
    0x5E: "⊥", 0x5F: "_", 0x7B: "{", 0x7C: "|", 0x7D: "}", 0x7E: "\u223c", 0xA0: "€", 0xA2: "\u2032", 0xA3: "≤",
    0xA4: "\u2044", 0xA5: "∞", 0xAB: "↔", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°", 0xB1: "±", 0xB2: "″",
    0xB3: "≥", 0xA6: "ƒ", 0xB4: "\u00d7", 0xB5: "∝", 0xB6: "∂", 0xB7: "•", 0xB8: "÷", 0xB9: "≠", 0xBA: "≡", 0xBB: "≈",
    0xBC: "…",
    0xC0: "ℵ", 0xC4: "⊗", 0xC5: "⊕", 0xC6: "∅", 0xC7: "∩",
    0xC8: "\u222a", 0xC9: "⊃", 0xCA: "⊇", 0xCB: "⊄", 0xCC: "⊂", 0xCD: "⊆",
    0xCE: "∈", 0xCF: "∉", 0xD0: "∠", 0xD1: "∇", 0xD2: "®", 0xD3: "©", 0xD4: "™", 0xD5: "∏", 0xD6: "√", 0xD7: "⋅",
    0xD8: "¬", 0xD9: "∧", 0xDA: "\u2228", 0xDB: "⇔", 0xDC: "⇐", 0xDD: "⇑", 0xDE: "⇒", 0xDF: "⇓", 0xE0: "◊", 0xE2: "®",
    0xE3: "©", 0xE4: "™", 0xE5: "∑", 0xF2: "∫",
    **{0x61 + number: letter for number, letter in enumerate(_GREEK)},
    **{0x41 + number: letter for number, letter in enumerate(_CAPITALS)},
}  # fmt: skip
_FONTS = {
    "wingdings": _WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
    "wingdings 3": _WINGDINGS_3,
    "webdings": _WEBDINGS,
    "symbol": _SYMBOL,
}


def is_symbol_font(font: str) -> bool:
    """Whether the codes of a font's characters are its own."""
    return font.lower() in _FONTS


def symbol(font: str, code: str) -> str:
    """The character with a hexadecimal code in a symbol font; an empty text if it is only an ornament."""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    return in_symbol_font(font, chr(number)) if 0 < number < 0x110000 else ""


def in_symbol_font(font: str, text: str, *, letters: bool = True) -> str:
    """A text in a symbol font as the characters that it shows.

    Ornaments are left out. If `letters`, a few plain characters are codes of the font too; longer texts are words.
    """
    known = _FONTS.get(font.lower(), {})
    coded = letters and len(text.strip()) <= _MAX_CODED
    shown = []
    for letter in text:
        number = ord(letter)
        if _PRIVATE <= number < _PRIVATE + 256:
            shown.append(known.get(number - _PRIVATE, ""))
        elif 0xE000 <= number < 0xF900:
            continue
        else:
            shown.append(known.get(number, letter) if coded and not letter.isspace() else letter)
    return "".join(shown)
