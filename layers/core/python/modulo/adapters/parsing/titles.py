"""Titles that a program wrote and nobody chose."""

import re

from modulo.adapters.parsing.text_decoding import one_line

_PROGRAMS = re.compile(
    r"^(?:microsoft (?:office )?(?:word|excel|powerpoint|publisher|visio)|adobe (?:photoshop|illustrator|indesign)"
    r"|openoffice|libreoffice|writer|notepad\+?\+?|powerpoint-pr\u00e4sentation|powerpoint presentation)"
    r"\s*[-\u2013:]\s*",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"\.(?:docx?|docm|dotx?|rtf|odt|xlsx?|xlsm|ods|pptx?|odp|pages|numbers|key|pdf|html?|txt|md|tex|dvi|ps|indd|qxd|pub|vsdx?)$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?:untitled document|document sans titre|documento sin t\u00edtulo|documento senza titolo|unbenanntes dokument"
    r"|sans nom|bez tytu\u0142u|new page|no job name|stdin|titre|t\u00edtulo|titolo|libro|classeur|cartel|tabelle|feuil"
    r"|diapositive|diapositiva|powerpoint-presentatie|presentazione standard di powerpoint"
    r"|prezentacja programu powerpoint|presentazione di powerpoint|apresenta\u00e7\u00e3o do powerpoint"
    r"|\u043f\u0440\u0435\u0437\u0435\u043d\u0442\u0430\u0446\u0438\u044f powerpoint"
    r"|powerpoint \u30d7\u30ec\u30bc\u30f3\u30c6\u30fc\u30b7\u30e7\u30f3"
    r"|powerpoint \ud504\ub808\uc820\ud14c\uc774\uc158|powerpoint \u6f14\u793a\u6587\u7a3f"
    r"|\u6f14\u793a\u6587\u7a3f|\u65e0\u6807\u9898|\u7121\u984c"
    r"|untitled|unbenannt|ohne titel|sans titre|sin t\u00edtulo|senza titolo|no title|title|titel|document|dokument"
    r"|documento|presentation|pr\u00e4sentation|presentaci\u00f3n|pr\u00e9sentation|powerpoint presentation"
    r"|powerpoint-pr\u00e4sentation|pr\u00e9sentation powerpoint|presentaci\u00f3n de powerpoint|book|mappe|workbook"
    r"|worksheet|sheet|slide|folie|page|seite|folder|new document|neues dokument|microsoft word document|word document"
    r"|excel document|anonymous|unspecified|unknown|none|null|template|scan|scanned document|layout|print|default"
    r"|image|file|blank|test)?[\s_-]{0,3}\(?\d{0,4}\)?",
    re.IGNORECASE,
)
_NO_LETTERS = re.compile(r"[\W\d_]*")


def chosen_title(title: str | None) -> str | None:
    """The title without the name of a program and the ending of a file; None where it is a program's placeholder."""
    text = one_line(title or "").strip("()[] ")
    text = _FILE.sub("", _PROGRAMS.sub("", text)).strip()
    return None if _NO_LETTERS.fullmatch(text) or _PLACEHOLDER.fullmatch(text) else text
