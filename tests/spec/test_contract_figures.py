"""The figures without judgement: spend by sector, concentration, conversion.

A contract C1 of the prime P runs from June 2011; S is its subcontractor; today is 15 July 2012, so
thirteen months are over.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from metrics.catalogue import metrics
from metrics.concentration import SubcontractorShare, concentration
from metrics.conversion import GroupConversion, conversion
from metrics.facts import gather
from metrics.spend_by_sector import (
    NOT_IN_REGISTER,
    SectorSpend,
    Spend,
    spend_by_contract,
    spend_by_programme,
    without_sums,
)
from tests.oracle.chain import Chain, month, months

if TYPE_CHECKING:
    from metrics.concentration import Concentration
    from metrics.facts import Facts

TODAY = dt.date(2012, 7, 15)
ALL = months("2011-06", 13)
EARLY, LATE = ALL[0], ALL[12]
ESA, JSA = "ESA", "JSA 25+"


def start(*reporters: str) -> Chain:
    chain = Chain().contract().agreement()
    for reporter in reporters or ("P",):
        chain.covers(reporter, ALL, "referrals").covers(reporter, ALL, "payments")
    return chain


def facts(chain: Chain, engine: Any = "pandas") -> Facts:
    return gather(chain.frames(engine), TODAY)


# Spend by sector


def with_sectors(chain: Chain, **sectors: str) -> Chain:
    for organisation_id, sector in sectors.items():
        chain.organisation(organisation_id, organisation_id)
        chain.organisations[-1]["sector"] = sector
    return chain


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_what_is_payable_is_shared_out_by_the_sector_in_the_register(engine: str) -> None:
    """Paid or not, and after adjustments; an organisation that is not in it has its own line."""
    chain = with_sectors(start(), S="voluntary", T="private").agreement("T").agreement("U")
    chain.payment("P", EARLY, 1000, 700, paid=False).payment("P", EARLY, None, 100)
    chain.payment("P", EARLY, 0, -200, payment_type="adjustment")
    chain.payment("P", EARLY, 1000, 300, subcontractor="T")
    chain.payment("P", EARLY, 1000, 100, subcontractor="U")
    assert spend_by_contract(facts(chain, engine))["C1"].sectors == (
        SectorSpend("voluntary", 600, 1, 0.6),
        SectorSpend("private", 300, 1, 0.3),
        SectorSpend(NOT_IN_REGISTER, 100, 1, 0.1),
    )


def test_a_subcontractor_without_money_still_counts_as_one() -> None:
    chain = with_sectors(start(), S="voluntary", T="voluntary").agreement("T")
    spend = spend_by_contract(facts(chain.payment("P", EARLY, 1000, 700)))["C1"]
    assert (spend.payable_pence, spend.subcontractor_count) == (700, 2)
    assert spend.sectors == (SectorSpend("voluntary", 700, 2, 1.0),)


def test_only_the_primes_rows_inside_the_agreement_and_not_about_itself_count() -> None:
    chain = start("P", "S").agreement("P").agreement("T", live_on="2011-08-01")
    chain.payment("S", EARLY, None, 999).payment("P", EARLY, 1, 999, subcontractor="P")
    chain.payment("P", EARLY, 1, 999, subcontractor="T").payment(
        "P", EARLY, 1, 999, subcontractor="X"
    )
    chain.payment("P", EARLY, 1000, 5)
    assert spend_by_contract(facts(chain))["C1"].payable_pence == 5


def test_without_a_payments_return_of_the_prime_it_is_not_zero_but_unknown() -> None:
    spend = spend_by_contract(facts(start("S")))["C1"]
    assert (spend.payable_pence, spend.subcontractor_count) == (None, 1)
    assert spend.sectors == (SectorSpend(NOT_IN_REGISTER, 0, 1, None),)


def test_corrections_beyond_the_sum_leave_no_shares() -> None:
    chain = start().payment("P", EARLY, 1, 100).payment("P", EARLY, 1, -300)
    spend = spend_by_contract(facts(chain))["C1"]
    assert (spend.payable_pence, spend.sectors[0].share) == (-200, None)


def test_a_programme_counts_a_subcontractor_of_several_contracts_once() -> None:
    chain = with_sectors(start(), S="voluntary").contract("C2").agreement(contract_id="C2")
    chain.payment("P", EARLY, 1, 100).payment("P", EARLY, 1, 200, contract_id="C2")
    chain.contract("C3", "Q")
    chain.contracts[-1]["programme"] = "Restart"
    found = spend_by_programme(facts(chain))
    assert found["Work Programme"].sectors == (SectorSpend("voluntary", 300, 1, 1.0),)
    assert (found["Restart"].payable_pence, found["Restart"].sectors) == (None, ())


def test_an_agreement_whose_contract_is_unknown_is_in_no_figure() -> None:
    chain = start().agreement("Z", "C9")
    assert set(spend_by_contract(facts(chain))) == {"C1"}
    assert set(concentration(facts(chain))) == {"C1"}


# Concentration


def shares(chain: Chain, engine: str = "pandas") -> Concentration:
    return concentration(facts(chain, engine))["C1"]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_two_equal_subcontractors_are_two_in_effect_and_in_house_stands_apart(engine: str) -> None:
    chain = start("P", "S").referral("P", EARLY, "S", 30).referral("P", LATE, "T", 30)
    chain.referral("P", EARLY, "P", 40).referral("S", EARLY, "S", 99)
    found = shares(chain, engine)
    assert found.subcontractors == (
        SubcontractorShare("S", 30, 0.5),
        SubcontractorShare("T", 30, 0.5),
    )
    assert (found.index, found.effective_number) == (0.5, 2)
    assert (found.in_house_count, found.in_house_share) == (40, 0.4)


def test_the_index_is_the_sum_of_squared_shares() -> None:
    chain = start().referral("P", EARLY, "S", 10).referral("P", EARLY, "T", 30)
    found = shares(chain)
    assert [one.subcontractor_id for one in found.subcontractors] == ["T", "S"]
    assert found.index == 0.75**2 + 0.25**2


def test_a_prime_that_passes_nobody_on_has_no_index() -> None:
    found = shares(start().referral("P", EARLY, "P", 40))
    assert (found.index, found.effective_number, found.in_house_share) == (None, None, 1.0)
    nothing = shares(start())
    assert (nothing.referral_count, nothing.in_house_share) == (0, None)


def test_months_the_prime_has_not_reported_are_unknown() -> None:
    found = shares(start("S").referral("S", EARLY, "S", 4))
    assert (found.month_count, found.referral_count, found.in_house_count) == (0, None, None)


# Conversion


def converted(chain: Chain, subcontractor: str | None = "S", engine: str = "pandas") -> Any:
    return conversion(facts(chain, engine))["C1", subcontractor]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_referrals_starts_and_events_are_counted_by_client_group(engine: str) -> None:
    chain = start().referral("P", EARLY, count=6, group=ESA, started_on=EARLY)
    chain.referral("P", EARLY, count=2, group=ESA).referral("P", EARLY, count=5, group=JSA)
    for kind, number in (("attachment_fee", 5), ("job_outcome", 3), ("sustainment", 6)):
        for _ in range(number):
            chain.payment("P", LATE, 1, 1, group=ESA, payment_type=kind)
    chain.payment("P", LATE, 1, 1, group=ESA, payment_type="adjustment")
    groups = dict(converted(chain, engine=engine).groups)
    assert groups[ESA] == GroupConversion(8, 6, 5, 3, 6)
    esa, jsa = groups[ESA], groups[JSA]
    assert (esa.start_rate, esa.outcome_rate, esa.sustainment_rate) == (0.75, 0.5, 2.0)
    assert (jsa.start_rate, jsa.outcome_rate, jsa.sustainment_rate) == (0.0, None, None)


def test_without_anything_to_divide_by_there_is_no_rate() -> None:
    found = converted(start())
    assert found.groups == ()
    assert {found.total.start_rate, found.total.outcome_rate, found.total.sustainment_rate} == {
        None
    }
    assert {found.total.old_start_rate, found.total.old_outcome_rate} == {None}


def test_payments_that_name_no_group_are_kept_apart() -> None:
    found = converted(start().payment("P", EARLY, 1, 1, group=None))
    assert found.groups == (("", GroupConversion(job_outcome_count=1)),)


def test_the_subcontractors_word_stands_where_it_reported_else_the_primes() -> None:
    chain = start("P").covers("S", [EARLY], "referrals").covers("S", [LATE], "payments")
    for one in (EARLY, LATE):
        chain.referral("P", one, count=10).payment("P", one, 1, 1)
    chain.referral("S", EARLY, count=3).payment("S", LATE, None, 1).payment("S", LATE, None, 1)
    total = converted(chain).total
    assert (total.referral_count, total.job_outcome_count) == (13, 3)


def test_a_contract_counts_those_kept_in_house_and_sent_without_an_agreement() -> None:
    chain = start().referral("P", EARLY, "S", 1).referral("P", EARLY, "P", 20)
    chain.referral("P", EARLY, "X", 300).referral("G", EARLY, "S", 4000)
    assert converted(chain, None).total.referral_count == 321
    assert converted(chain).total.referral_count == 1


def test_clients_of_at_least_twelve_months_are_followed_by_their_mark() -> None:
    """Three came in June 2011, one in July: of the three, two started and one found work."""
    chain = start()
    chain.referral("P", EARLY, client_hash="a", started_on=EARLY)
    chain.referral("P", EARLY, client_hash="b", started_on=EARLY).referral(
        "P", EARLY, client_hash="c"
    )
    chain.referral("P", month("2011-07"), client_hash="d", started_on=EARLY).referral("P", EARLY)
    chain.payment("P", LATE, 1, 1, client_hash="a").payment("P", LATE, 1, 1, client_hash="a")
    chain.payment("P", LATE, 1, 1, client_hash="d")
    chain.payment("P", LATE, 1, 1, client_hash="b", payment_type="sustainment")
    total = converted(chain).total
    assert (total.client_count, total.outcome_client_count) == (4, 2)
    old = total.old_client_count, total.old_started_client_count, total.old_outcome_client_count
    assert old == (3, 2, 1)
    assert (total.old_start_rate, total.old_outcome_rate) == (pytest.approx(2 / 3), 0.5)


def test_a_client_referred_twice_is_one_client_from_the_first_day() -> None:
    chain = start().referral("P", EARLY, client_hash="a")
    chain.referral("P", LATE, client_hash="a", started_on=LATE)
    total = converted(chain).total
    assert (total.referral_count, total.client_count) == (2, 1)
    assert (total.old_client_count, total.old_started_client_count) == (1, 1)


def test_an_outcome_in_another_reporters_rows_is_not_joined() -> None:
    chain = start("P", "S").referral("S", EARLY, client_hash="a", started_on=EARLY)
    chain.payment("P", LATE, 1, 1, client_hash="a")
    assert converted(chain).total.outcome_client_count == 0


def test_clients_whose_reporter_left_out_a_month_of_payments_are_not_followed() -> None:
    """An outcome in the missing month would not be seen, and its absence says nothing."""
    chain = Chain().contract().agreement().covers("P", ALL, "referrals")
    chain.covers("P", ALL[:5] + ALL[6:], "payments").referral("P", EARLY, client_hash="a")
    total = converted(chain).total
    assert (total.client_count, total.old_client_count) == (1, 0)


def test_one_client_sent_to_three_subcontractors_counts_with_each() -> None:
    chain = start().agreement("T").agreement("U")
    for subcontractor in "STU":
        chain.referral("P", EARLY, subcontractor, client_hash="a")
    assert [converted(chain, one).total.client_count for one in ("S", "T", "U", None)] == [
        1,
        1,
        1,
        3,
    ]


def test_none_of_these_metrics_judges() -> None:
    known = {metric.id: metric for metric in metrics()}
    for metric_id in ("spend_by_sector", "concentration", "conversion", "client_mix"):
        assert known[metric_id].direction.startswith("no judgement")


def test_without_sums_only_rounded_shares_are_left() -> None:
    sectors = (SectorSpend("voluntary", 1_234, 1, 0.12345), SectorSpend("public", 0, 1, None))
    found = without_sums(Spend(10_000, 2, sectors))
    assert (found.payable_pence, found.sums_told) == (0, False)
    assert [(one.payable_pence, one.share) for one in found.sectors] == [(0, 0.12), (0, None)]
    assert without_sums(Spend(None, 0, ())).payable_pence is None
