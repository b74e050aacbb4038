"""Words that the passwords guessed first are made of: the head of every published list of them."""

from __future__ import annotations

import re

COMMON_WORDS = frozenset(
    """
    aaa abc abcd access account adidas admin administrator alex alexander amanda andrea andrew
    angel angela anna anthony april arsenal ashley asdf asdfgh asdfghjkl august austin autumn baby
    banana baseball basketball batman bonjour buster business butterfly celtic change
    changeme charity charlie cheese chelsea chocolate chris christmas company computer cookie
    daniel database david december default dragon edc elizabeth england everton fairtier february
    flower football freedom friday friend friends gandalf george ginger god guest hallo
    hannah harley hello hockey home hunter iloveyou internet jackson james january jennifer jessica
    jesus john jordan joshua july june justin killer king letmein liverpool login
    london love loveme lovely manager march maria martin master matrix matthew maverick may me
    mercedes michael michelle mickey minecraft monday money monkey mother mustang my naruto
    network nicole ninja november october office oliver orange pass passw passwd password passwort
    patrick pepper picture pokemon princess private purple qaz qazwsx qwe qwer qwert qwerty
    qwertyuiop ranger robert root samsung samantha saturday school secret secure security september
    server service shadow sharing smith snoopy soccer spring starwars steelers summer sunday
    sunshine superman superuser support sweet system taylor temp test tester testing the thomas
    thunder thursday tigger trustno tuesday unknown user username wednesday welcome whatever william
    winter work you zaq zaqwsx zxc zxcvbn zxcvbnm
    """.split()  # noqa: SIM905 - one word a line would be 250 lines
)
_LONGEST_COUNT = max(map(len, COMMON_WORDS))
_MOST_WORDS = 2  # more than two of them are a phrase
_WRITTEN_FOR = str.maketrans("@4310$5!7", "aaeiossit")  # p@55w0rd
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def is_common(folded: str) -> bool:
    """Whether a case-folded password is one or two common words with digits or signs about it.

    So is one with no letter in it, or that is a shorter text over and over.
    """
    if folded in (folded + folded)[1:-1]:
        return True
    within = _AROUND.sub("", folded)
    texts = {_letters(folded), _letters(within.translate(_WRITTEN_FOR))}
    return any(_is_of_few_words(text, _MOST_WORDS) for text in texts)


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def _is_of_few_words(text: str, most_count: int) -> bool:
    if not text:
        return True
    if most_count == 0 or len(text) > most_count * _LONGEST_COUNT:
        return False
    return any(
        text[:end] in COMMON_WORDS and _is_of_few_words(text[end:], most_count - 1)
        for end in range(1, len(text) + 1)
    )
