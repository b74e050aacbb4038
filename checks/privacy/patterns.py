"""What marks of persons look like, for SQL and for Python alike (no look-around).

The first group of each pattern is the mark itself; around it stands nothing that could belong
to a longer word or number.
"""

from __future__ import annotations

import re
from itertools import groupby

_NI_FIRST = "ABCEGHJKLMNOPRSTWXYZ"
_NI_SECOND = "ABCEGHJKLMNPRSTWXYZ"
_NI_NEVER = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _prefixes() -> str:
    """The pairs of letters that a National Insurance number may start with."""
    pairs = [
        (first, "".join(second for second in _NI_SECOND if first + second not in _NI_NEVER))
        for first in _NI_FIRST
    ]
    by_second = sorted((second, first) for first, second in pairs)
    return "|".join(
        f"[{''.join(first for _, first in group)}][{second}]"
        for second, group in groupby(by_second, key=lambda pair: pair[0])
    )


_BEFORE, _AFTER = "(?:^|[^A-Za-z0-9])", "(?:[^A-Za-z0-9]|$)"
_AREAS = (
    "AB|AL|BA|BB|BD|BF|BH|BL|BN|BR|BS|BT|BX|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|"
    "DY|EC|EH|EN|EX|FK|FY|GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|LA|LD|LE|LL|"
    "LN|LS|LU|ME|MK|ML|NE|NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|SA|SE|SG|SK|SL|SM|SN|SO|"
    "SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE|B|E|G|L|M|N|S|W"
)


def _postcode(space: str) -> str:
    return f"(?i){_BEFORE}((?:{_AREAS})[0-9][0-9A-Z]?{space}[0-9][ABD-HJLNP-UW-Z]{{2}}){_AFTER}"


NATIONAL_INSURANCE = (
    rf"(?i){_BEFORE}((?:{_prefixes()})[ \x{{a0}}]?[0-9]{{2}}[ \x{{a0}}]?[0-9]{{2}}"
    rf"[ \x{{a0}}]?[0-9]{{2}}[ \x{{a0}}]?[A-D]){_AFTER}"
).replace(r"\x{a0}", "\u00a0")
EMAIL = r"([A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,})"
TEN_DIGITS = r"(?:^|[^0-9.,£])([0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4})(?:[^0-9.,]|[.,](?:[^0-9]|$)|$)"
TELEPHONE = (
    r"(?:^|[\s:;,/])((?:(?:\+|00)44[ \-]?(?:\(0\)[ \-]?)?|\(?0)[1-35789][0-9]{1,4}\)?"
    r"(?:[ \-]?[0-9]){4,8})(?:[^0-9A-Za-z/\-]|$)"
)
POSTCODE = _postcode("[ \u00a0]?")
POSTCODE_SPACED = _postcode("[ \u00a0]")

_ALL = tuple(
    re.compile(pattern)
    for pattern in (NATIONAL_INSURANCE, EMAIL, TEN_DIGITS, TELEPHONE, POSTCODE_SPACED)
)


def scrubbed(text: str) -> str:
    """The text with every mark of a person in it replaced by ***, for headers shown to people."""
    for pattern in _ALL:
        text = pattern.sub(lambda match: match[0].replace(match[1], "***"), text)
    return text
