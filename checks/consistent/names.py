"""What makes two names of organisations one."""

from __future__ import annotations

_LEGAL_WORDS = "ltd|limited|plc|cic|cio|llp|the|and"


def folded_name(name: str) -> str:
    """The name (an SQL expression) without case, accents, punctuation and words of legal form."""
    plain = f"regexp_replace(strip_accents(lower({name})), '[^a-z0-9]+', ' ', 'g')"
    words = f"regexp_replace({plain}, '\\b({_LEGAL_WORDS})\\b', ' ', 'g')"
    return f"trim(regexp_replace({words}, ' +', ' ', 'g'))"


def marks(folded: str) -> str:
    """The numbers and single letters of a folded name: "Trust 1" is not "Trust 2"."""
    return f"regexp_extract_all({folded}, '[0-9]+|\\b[a-z]\\b')"
