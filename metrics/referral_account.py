"""What was promised and what came, in sentences, from the evidence of a flag about referrals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metrics.wording import count, figure, months_of_window, share

if TYPE_CHECKING:
    from metrics.definition import Assessment
    from metrics.facts import Facts


def promised(evidence: dict[str, Any], name: str, facts: Facts) -> tuple[str, ...]:
    """The forecasts in force and the share of the intake, as on record."""
    told = []
    for version in evidence["forecast_versions"]:
        issuer = facts.name(version["issued_by"])
        told.append(
            f"Forecast issued on {version['issued_on']} by {issuer}: "
            f"{count(version['referrals'], 'referral')} for "
            f"{count(version['months'], 'reported month')}."
        )
        changed = version.get("changed_after_the_month_began")
        if changed:
            months, now = (figure(changed[name]) for name in ("months", "referrals_now"))
            told.append(
                f"It was received after {months} of these months had begun; before, the forecast "
                f"for them was {figure(changed['referrals_before'])}, now {now}."
            )
    if evidence["forecast"] is None:
        told.append(f"No forecast is on record for {name}.")
    elif not told:
        told.append(f"The forecasts for {name} name none of the reported months.")
    if evidence["promised_share"] is not None:
        groups = ", ".join(evidence["client_groups"]) or "all client groups"
        told.append(
            f"Promised share: {share(evidence['promised_share'])} of the prime's intake in "
            f"{groups}."
        )
    return tuple(told)


def happened(evidence: dict[str, Any], found: Assessment, facts: Facts) -> tuple[str, ...]:
    """Which months are reported by whom, and what each side's returns show."""
    window, sides = evidence["window"], evidence["reported_by"]
    if not window["months"]:
        return ("No month that counts is over.",)
    told = [f"{figure(evidence['reported_months'])} of {months_of_window(window)} are reported."]
    prime = facts.name(found.prime_id)
    by = evidence["observed_by"]
    if found.subcontractor_id is not None and evidence["reported_months"]:
        name = facts.name(found.subcontractor_id)
        told.append(
            f"{count(evidence['observed'], 'referral')} received: the count of {name} in "
            f"{count(sides['subcontractor'], 'month')}, that of {prime} in "
            f"{count(sides['prime'], 'month')}."
        )
        told.append(
            f"The returns of {name} show {count(by['subcontractor'], 'referral')}, those of "
            f"{prime} {count(by['prime'], 'referral')}."
        )
    if evidence["intake"] is not None:
        told.append(
            f"{prime} reports an intake of {count(evidence['intake'], 'referral')} "
            f"{'in the groups served ' if found.subcontractor_id else ''}in "
            f"{count(evidence['intake_months'], 'month')}."
        )
    else:
        told.append(f"{prime} has reported no month of its intake.")
    return tuple(told)
