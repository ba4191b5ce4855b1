"""What kind of thing a question asks for, a cause, a figure or the meaning of a code, and whether a text tells one."""

import re

_ASKS_WHY = re.compile(
    r"\b(?:why|how come|reasons?|causes?d?|warum|wieso|weshalb|ursachen?|pourquoi|por qu\u00e9|perch\u00e9|waarom)\b",
    re.IGNORECASE,
)
_TELLS_WHY = re.compile(
    r"\b(?:because|since|due to|caused|causing|as a result|result of|owing to|so that|in order to|therefore|reason|"
    r"thanks to|led to|weil|wegen|damit|aufgrund|parce que|car|afin|porque|debido|poich\u00e9|perch\u00e9|omdat)\b",
    re.IGNORECASE,
)
# What may be a cause: "for cleaning" but not "for two weeks", "to save power" but not "to Kent".
_OF_A_THING = (
    r"(?!\s+(?:the|a|an|our|your|his|her|its|their|all|any|each|every|up|about|at|more|less|one|two|three|four|five|"
    r"six|seven|eight|nine|ten|twelve|which|whom|example|\W|\d|(?-i:[A-Z])))"
)
_MAY_TELL_WHY = re.compile(
    rf"\b(?:(?:for|to){_OF_A_THING}|(?<!well )(?<!soon )(?<!long )(?<!far )as"
    rf"(?!\s+(?:well|soon|long|far|a|an)\b)|so(?!\s+(?:far|on)\b)|otherwise|hence|thus|"
    r"prevent\w*|protect\w*|ensur\w*|avoid\w*|allow\w*|risk\w*|danger\w*|damag\w*|would|could|might|too|enough|after|"
    r"da|denn|um|zur|zum|f\u00fcr|sonst|daher|deshalb|darum|dadurch|somit|gr\u00fcnden|ansonsten|andernfalls|infolge|"
    r"pour|para|per|om)\b",
    re.IGNORECASE,
)
_ASKS_FIGURE = re.compile(
    r"\b(?:when|since when|until when|by when|what time|how (?:long|much|many|often|high|tall|heavy|far|old|big|large|"
    r"deep|wide|fast|soon|quickly|late|early)|wann|wie (?:lange|viele?|oft|hoch|schwer|weit|alt|gro\u00df|tief|breit|"
    r"schnell|sp\u00e4t)|wieviele?)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twice|once|half|both|none|never|always|"
    r"daily|weekly|monthly|yearly|annually|free|noon|midnight|immediately|spring|summer|autumn|winter|"
    r"(?:in|of|by|until|from|since|before|after) may|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|june|july|august|september|october|"
    r"november|december|eine?[nmrs]?|zwei|drei|vier|f\u00fcnf|sechs|sieben|acht|neun|zehn|elf|zw\u00f6lf|einmal|"
    r"zweimal|halbe?|nie|immer|t\u00e4glich|w\u00f6chentlich|monatlich|j\u00e4hrlich|kostenlos|sofort|unverz\u00fcglich|"
    r"(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|januar|februar|m\u00e4rz|mai|juni|juli|oktober|dezember)\b",
    re.IGNORECASE,
)
_ASKS_MEANING = re.compile(
    r"\b(?:what (?:does|do|did)\b.{1,80}\b(?:mean|stand for|indicate|signify)|meaning of|definition of|"
    r"was (?:bedeute[nt]|hei\u00dft|hei\u00dfen)|wof\u00fcr steht|bedeutung)\b",
    re.IGNORECASE,
)


def asks_why(question: str) -> bool:
    """Whether the question is for a cause."""
    return bool(_ASKS_WHY.search(question))


def tells_why(text: str) -> bool:
    """Whether the text says that something is the cause of another thing."""
    return bool(_TELLS_WHY.search(text))


def may_tell_why(text: str) -> bool:
    """Whether a cause may be in the text, said in words that mean other things, too."""
    return tells_why(text) or bool(_MAY_TELL_WHY.search(text))


def asks_figure(question: str) -> bool:
    """Whether the question is for a time, a number or an amount."""
    return bool(_ASKS_FIGURE.search(question))


def tells_figure(text: str) -> bool:
    """Whether the text tells any, in figures or in words."""
    return bool(_FIGURE.search(text))


def asks_meaning(question: str) -> bool:
    """Whether the question is for what something means."""
    return bool(_ASKS_MEANING.search(question))
