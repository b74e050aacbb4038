"""A prime tells a subcontractor that it named it in the bid and has not used it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import BadOption
from metrics.notices.definition import (
    Blank,
    Letter,
    Notice,
    Points,
    framed,
    grid_of,
    paragraph,
    reply_by,
)
from metrics.notices.matter import contract_facts, naming_facts, volume_facts
from metrics.wording import count

if TYPE_CHECKING:
    from metrics.notices.matter import Matter
    from metrics.rules import Rules

SOURCE = "13 CFR 125.3 and 49 CFR 26.53(f)"
STANDING = (
    "These are rules of the United States and serve as a template only. By the first a prime tells "
    "the buyer in writing when it does not use a subcontractor that it named; by the second it "
    "tells the subcontractor before it takes work away, with the reason and a copy to the buyer, "
    "and the subcontractor has five days to answer. No rule in the United Kingdom that we know of "
    "asks for this letter."
)
NOTICE = Notice(
    id="non_utilisation",
    order=1,
    title="Notice that a named subcontractor was not used",
    when_to_send="When your bid named a subcontractor and you have sent it no clients.",
    writer="prime",
    reader="subcontractor",
    about="agreement",
    source=SOURCE,
    standing=STANDING,
    version=1,
)


def write(matter: Matter, rules: Rules) -> Letter:
    """The notice; BadOption where the register or the returns say otherwise."""
    require_unused(matter)
    name = matter.name("subcontractor")
    facts = (*contract_facts(matter), *naming_facts(matter), *volume_facts(matter))
    body = (
        paragraph(
            f"We named {name} in our bid for contract {matter.contract_words}. We write to say "
            "that we have not used it so far, and why."
        ),
        grid_of(facts, "What is on record"),
        paragraph("Our reasons are: ", Blank("why no clients were sent, in plain words")),
        paragraph("What happens next:"),
        Points(
            (
                ("We expect to send clients from ", Blank("month, or never")),
                ("About as many a month as ", Blank("number of clients")),
                ("What this rests on: ", Blank("forecast or decision, and whose")),
            )
        ),
        paragraph(
            "If these figures or reasons are not right, please tell us by ",
            reply_by(rules),
            ". We send a copy of this letter to ",
            f"{matter.name('commissioner')}, and will send them your answer too.",
        ),
    )
    return framed(
        NOTICE,
        matter,
        f"{name}: named in our bid for contract {matter.contract_id} and not used",
        body,
        facts,
        (
            "Take out the copy to the commissioner if you do not send one.",
            *differing(matter),
        ),
    )


def require_unused(matter: Matter) -> None:
    """BadOption unless the bid named the subcontractor and nobody reports a referral to it."""
    name = matter.name("subcontractor")
    if not matter.terms.named_in_bid:
        raise BadOption(
            f"By the register of agreements the bid did not name {name}, so this letter is not "
            "for it. Ask the network to mend the register if that is wrong."
        )
    received = matter.volumes.received
    if received:
        raise BadOption(
            f"{name} got {count(received, 'referral')} by the returns on record, so it was used. "
            "If that were too few, make the letter forecast_revision."
        )


def differing(matter: Matter) -> tuple[str, ...]:
    """What the writer should know where the two sides' returns differ, or nobody has reported."""
    volumes = matter.volumes
    if not volumes.reported:
        return ("Nobody has reported a month yet. That is not zero: check before you send this.",)
    if volumes.by_subcontractor[1] and volumes.by_prime[0]:
        return (
            f"The two sides differ: the returns of {matter.name('prime')} do have "
            f"{count(volumes.by_prime[0], 'referral')}. Settle that first.",
        )
    return ()
