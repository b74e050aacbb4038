"""A subcontractor named in the bid and not used asks the prime to say so in writing, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics.notices.definition import Letter, Notice, Points, framed, grid_of, paragraph, reply_by
from metrics.notices.matter import contract_facts, naming_facts, volume_facts
from metrics.notices.non_utilisation import SOURCE, STANDING, differing, require_unused

if TYPE_CHECKING:
    from metrics.notices.matter import Matter
    from metrics.rules import Rules

NOTICE = Notice(
    id="non_utilisation_request",
    order=2,
    title="Request to be told why a named subcontractor was not used",
    when_to_send="When a bid named you and you have had no clients.",
    writer="subcontractor",
    reader="prime",
    about="agreement",
    source=SOURCE,
    standing=STANDING,
    version=1,
)


def write(matter: Matter, rules: Rules) -> Letter:
    """The request; BadOption where the register or the returns say otherwise."""
    require_unused(matter)
    facts = (*contract_facts(matter), *naming_facts(matter), *volume_facts(matter))
    body = (
        paragraph(
            f"You named us in your bid for contract {matter.contract_words}. By the returns on "
            "record we have had no clients. We ask you to tell us in writing:"
        ),
        Points(
            (
                ("whether you mean to use us, and from which month;",),
                ("why no clients were sent to us so far;",),
                ("where the clients of the groups that we serve went;",),
                ("how many clients we can plan for in each month, and what that rests on;",),
                ("what the commissioner has been told about our part.",),
            )
        ),
        grid_of(facts, "What is on record"),
        paragraph(
            "If you do not mean to use us, please say so, so that we need not keep staff and "
            "rooms ready. Please answer by ",
            reply_by(rules),
            ".",
        ),
    )
    return framed(
        NOTICE,
        matter,
        f"Contract {matter.contract_id}: named in your bid and not used",
        body,
        facts,
        differing(matter),
    )
