"""A prime asks the commissioner for a forecast of the whole contract that fits what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from metrics.notices.forecast_revision import (
    STANDING,
    ahead_facts,
    asked_for,
    compared,
    notes,
    side_by_side,
)
from metrics.notices.matter import contract_facts, volume_facts

if TYPE_CHECKING:
    from metrics.notices.matter import Matter
    from metrics.rules import Rules

NOTICE = Notice(
    id="contract_forecast_revision",
    order=4,
    title="Request to revise the forecast of a whole contract",
    when_to_send="When the commissioner sends more or fewer clients than it forecast.",
    writer="prime",
    reader="commissioner",
    about="contract",
    source="",
    standing=STANDING,
    version=1,
)


def write(matter: Matter, rules: Rules) -> Letter:
    """The request, with the months side by side; it names no subcontractor."""
    facts = (*contract_facts(matter), *volume_facts(matter), *ahead_facts(matter))
    body = (
        paragraph(f"We hold contract {matter.contract_words}. {compared(matter)}"),
        *side_by_side(matter),
        paragraph("We ask you for:"),
        Points(
            (
                ("a forecast for each of the next 12 months, by client group;",),
                ("what it rests on, and your own count of the clients sent so far;",),
                ("leave to pass it on to our subcontractors.",),
            )
        ),
        grid_of(facts, "What is on record"),
        paragraph(
            "What the difference means for our supply chain: ",
            Blank("staff and rooms kept ready, subcontractors without clients"),
        ),
        paragraph("Please send us the new forecast by ", reply_by(rules), "."),
    )
    subject = f"Contract {matter.contract_id}: {asked_for(matter)}"
    return framed(NOTICE, matter, subject, body, facts, notes(matter))
