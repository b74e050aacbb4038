"""How long before the contract a subcontractor agreed to be named in the bid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics.definition import Metric

if TYPE_CHECKING:
    import datetime as dt

METRIC = Metric(
    id="consent",
    title="Consent to be named",
    question="How many days before the contract started did the subcontractor agree in writing to "
    "be named in the bid?",
    why_it_matters="A name wins a bid. Whoever lends it should have agreed first.",
    numerator="Days from the written consent to the first day of the contract.",
    denominator="none",
    unit="days; below 0 the consent came after the contract started",
    grain="agreement",
    direction="higher means earlier",
    exclusions=(
        "Subcontractors that were not named in the bid.",
        "Agreements without a recorded consent, or whose contract is not in the register.",
    ),
    assumptions=(
        "The first day of the contract stands for the day of the bid, which the registers do not "
        "hold and which is earlier.",
        "A subcontractor's own word on its consent stands before the prime's.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=1,
)


def days_before_start(consented_on: dt.date, starts_on: dt.date) -> int:
    """Days from the consent to the first day of the contract; below 0 it came after."""
    return (starts_on - consented_on).days
