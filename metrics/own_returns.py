"""Whether an answer was raised from what the subcontractor itself reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metrics.definition import Assessment

Evidence = Mapping[str, Any]


def rests_on_subcontractor(found: Assessment) -> bool:
    """Whether the subcontractor's own returns went into the answer: cautious, so rather yes.

    They did if they cover one month that counts, whatever they say of it. A flag that is not
    known here counts as resting on them.
    """
    if found.subcontractor_id in (None, found.prime_id):
        return False
    return _RESTS.get(found.flag, _always)(found.evidence)


def _always(_evidence: Evidence) -> bool:
    return True


def _never(_evidence: Evidence) -> bool:
    return False


def _counted(evidence: Evidence) -> bool:
    return bool(evidence["reported_by"]["subcontractor"])


def _paid(evidence: Evidence) -> bool:
    return bool(evidence["paid_reported_by"]["subcontractor"])


def _covered(evidence: Evidence) -> bool:
    missing = [sides["subcontractor"] or () for sides in evidence["missing_by"].values()]
    return any(len(months) < evidence["due_months"] for months in missing)


def _consented(evidence: Evidence) -> bool:
    return evidence["consented_on"] is not None  # a day that the subcontractor may have reported


_RESTS: Mapping[str, Callable[[Evidence], bool]] = {
    "zero_referrals": _counted,
    "management_fee": _paid,
    "volume_divergence": _counted,
    "payment_delay": _counted,
    "risk_transfer": _never,  # the agreement's terms
    "unreconciled": _always,
    "not_reported": _covered,
    "named_without_consent": _consented,
    "client_mix": _never,  # the prime's returns alone
}
