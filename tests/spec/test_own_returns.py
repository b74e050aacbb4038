"""Whether a flag was raised from what the subcontractor itself reported; rather yes than no."""

from __future__ import annotations

from typing import Any

import pytest

from metrics.catalogue import flags
from metrics.definition import Assessment
from metrics.own_returns import rests_on_subcontractor


def found(flag: str, evidence: dict[str, Any], subcontractor: str | None = "S") -> Assessment:
    return Assessment(
        flag, "C1", "P", subcontractor, None, "raised", None, None, None, 0.0, evidence, "", None
    )


def sides(subcontractor: int) -> dict[str, Any]:
    return {"subcontractor": subcontractor, "prime": 2}


@pytest.mark.parametrize(
    ("flag", "evidence", "rests"),
    [
        ("zero_referrals", {"reported_by": sides(1)}, True),
        ("zero_referrals", {"reported_by": sides(0)}, False),
        ("volume_divergence", {"reported_by": sides(1)}, True),
        ("payment_delay", {"reported_by": sides(0)}, False),
        ("management_fee", {"paid_reported_by": sides(1)}, True),
        ("management_fee", {"paid_reported_by": sides(0)}, False),
        ("unreconciled", {}, True),
        ("client_mix", {}, False),
        ("risk_transfer", {}, False),
        ("named_without_consent", {"consented_on": None}, False),
        ("named_without_consent", {"consented_on": "2011-07-01"}, True),
        ("a_flag_of_tomorrow", {}, True),
    ],
)
def test_one_month_of_its_own_is_enough(flag: str, evidence: dict[str, Any], rests: bool) -> None:
    assert rests_on_subcontractor(found(flag, evidence)) is rests


@pytest.mark.parametrize(
    ("missing", "rests"), [(["2011-06"], True), (["2011-06", "2011-07"], False)]
)
def test_silence_rests_on_its_returns_where_it_sent_any(missing: list[str], rests: bool) -> None:
    of_side = {"subcontractor": missing, "prime": None, "both": []}
    evidence = {"due_months": 2, "missing_by": {"referrals": of_side, "payments": of_side}}
    assert rests_on_subcontractor(found("not_reported", evidence)) is rests


def test_a_whole_contract_and_what_the_prime_does_itself_rest_on_no_subcontractor() -> None:
    assert not rests_on_subcontractor(found("unreconciled", {}, None))
    assert not rests_on_subcontractor(found("unreconciled", {}, "P"))


def test_every_flag_was_thought_of() -> None:
    from metrics import own_returns

    assert set(own_returns._RESTS) == {flag.id for flag in flags()}
