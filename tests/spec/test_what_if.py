"""What if a rule were another: what is counted, when a rule is called into question, and notes.

A contract C1 of the prime P runs from June 2011; today is 15 April 2012.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.definition import STATUSES, Assessment
from metrics.facts import gather
from metrics.flags import management_fee, zero_referrals
from metrics.raised_share import raised_too_often
from metrics.rules import Rules, rules_as_of
from metrics.what_if import by_register, compared, overridden, value_of, value_with_unit
from metrics.without_agreement import without_agreement
from tests.oracle.chain import Chain, months

if TYPE_CHECKING:
    from collections.abc import Sequence

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)
REGISTER = rules_as_of(TODAY)


def fees(*payable: int) -> Chain:
    """One agreement for each sum payable of every 100 pounds that the commissioner paid."""
    chain = Chain().contract().covers("P", TEN, "payments")
    for number, pence in enumerate(payable):
        chain.agreement(f"S{number}").payment(
            "P", TEN[0], 100_00, pence, subcontractor=f"S{number}"
        )
    return chain


def both(chain: Chain, **values: str) -> tuple[list[Assessment], list[Assessment], Rules]:
    rules = REGISTER.override(values)
    facts = gather(chain.frames(), TODAY)
    asked = [*zero_referrals.assess(facts, rules), *management_fee.assess(facts, rules)]
    return asked, by_register(facts, overridden(rules, TODAY)), rules


def comparison(chain: Chain, flag: str, **values: str) -> Any:
    asked, before, rules = both(chain, **values)
    found = compared(asked, before, overridden(rules, TODAY))
    return next(one for one in found if one.flag == flag)


# What if


def test_what_would_be_raised_is_counted_beside_what_the_register_raises() -> None:
    """Fees of 10, 16, 18, 22 and 30 %: four are above 15 %, two above 20 %."""
    found = comparison(
        fees(90_00, 84_00, 82_00, 78_00, 70_00), "management_fee", management_fee="20%"
    )
    assert found.sentence == (
        "At 20 % (register: 15 %), 2 of 5 assessed would be raised; by the register 4."
    )
    assert found.answer() == {
        "flag": "management_fee",
        "rules": {"management_fee": {"value": 0.2, "register": 0.15}},
        "assessed": 5,
        "raised": 2,
        "assessed_by_register": 5,
        "raised_by_register": 4,
        "sentence": found.sentence,
    }


def test_what_cannot_be_assessed_is_not_counted_among_the_assessed() -> None:
    """S9 has no payment at all, so a fee of its does not exist."""
    chain = fees(70_00).agreement("S9")
    assert comparison(chain, "management_fee", management_fee="0.2").assessed_count == 1


def test_several_rules_of_one_flag_are_counted_together() -> None:
    found = comparison(
        fees(70_00), "zero_referrals", zero_referrals="1%", zero_referrals_months="3"
    )
    assert found.sentence.startswith(
        "With zero_referrals at 1 % (register: 5 %) and zero_referrals_months at 3 (register: 6), "
    )


def test_a_flag_that_assesses_more_under_the_other_rule_gives_both_numbers() -> None:
    rules = REGISTER.override({"management_fee": "0.2"})
    asked = [answer("management_fee", "raised")]
    before = [*asked, answer("management_fee", "clear")]
    (found,) = compared(asked, before, overridden(rules, TODAY))
    assert found.sentence.endswith("1 of 1 assessed would be raised; by the register 1 of 2.")


def test_only_flags_that_use_the_rule_are_compared() -> None:
    asked, before, rules = both(fees(70_00), management_fee="20%")
    found = compared(asked, before, overridden(rules, TODAY))
    assert [one.flag for one in found] == ["management_fee"]
    assert {one.flag for one in before} == {"management_fee"}


def test_without_an_override_there_is_nothing_to_compare() -> None:
    assert overridden(REGISTER, TODAY) == ()
    assert compared([], [], ()) == ()


def test_an_override_says_both_values() -> None:
    (one,) = overridden(REGISTER.override({"management_fee": "0.2"}), TODAY)
    assert one.sentence == "Highest management fee (management_fee) at 20 % (register: 15 %)"


def test_the_register_of_an_earlier_day_is_what_it_stands_beside() -> None:
    """The day asked about decides which entry of the register is meant."""
    day = dt.date(2030, 1, 1)
    (one,) = overridden(rules_as_of(day).override({"payment_delay": "0.1"}), day)
    assert one.register == rules_as_of(day)["payment_delay"]


@pytest.mark.parametrize(
    ("rule", "value", "with_unit"),
    [
        ("management_fee", "15 %", "15 % (share of what the commissioner paid)"),
        ("client_mix", "0.1 %", "0.1 % (probability, corrected for the number of client groups)"),
        ("zero_referrals_months", "6", "6 months"),
        ("volume_evidence", "20", "20 (e-value)"),
        ("risk_transfer", "1", "1 (the subcontractor's share at risk divided by the prime's)"),
        (
            "overdispersion",
            "auto",
            "estimated from the data (variance of monthly referrals divided by their mean)",
        ),
    ],
)
def test_a_rule_is_said_in_its_unit(rule: str, value: str, with_unit: str) -> None:
    assert (value_of(REGISTER[rule]), value_with_unit(REGISTER[rule])) == (value, with_unit)


# A rule that raises much


def answer(flag: str, status: Any) -> Assessment:
    return Assessment(flag, "C1", "P", "S", None, status, None, None, None, 0.15, {}, "", None)


def answers(raised: int, clear: int, flag: str = "management_fee") -> list[Assessment]:
    return [answer(flag, "raised")] * raised + [answer(flag, "clear")] * clear


def warnings(found: list[Assessment], rules: Rules) -> tuple[str, ...]:
    return tuple(one.sentence for one in raised_too_often(found, rules))


def test_a_rule_that_raises_more_than_a_quarter_is_called_into_question() -> None:
    assert warnings(answers(9, 22), REGISTER) == (
        "management_fee is raised for 9 of 31 (29 %): the rule may not fit these data, or the "
        "data the rule.",
    )


def test_exactly_a_quarter_is_not_more_than_a_quarter() -> None:
    assert warnings(answers(2, 6), REGISTER) == ()
    assert len(warnings(answers(3, 6), REGISTER)) == 1


def test_of_fewer_than_eight_nothing_is_said() -> None:
    assert warnings(answers(7, 0), REGISTER) == ()
    assert len(warnings(answers(8, 0), REGISTER)) == 1


def test_what_is_not_assessed_does_not_hide_that_a_rule_raises_much() -> None:
    silent = [answer("management_fee", "not_reported"), answer("management_fee", "not_applicable")]
    assert warnings([*answers(3, 5), *silent * 50], REGISTER) == (
        "management_fee is raised for 3 of 8 (37.5 %): the rule may not fit these data, or the "
        "data the rule.",
    )


def test_the_share_is_a_rule_itself() -> None:
    assert warnings(answers(9, 22), REGISTER.override({"share_of_raised": "0.3"})) == ()


def test_a_share_hardly_above_the_rule_is_not_rounded_onto_it() -> None:
    assert "25.003 %" in warnings(answers(10001, 29999), REGISTER)[0]


# What counts for no agreement


def notes(chain: Chain) -> list[str]:
    sentences = [one.sentence for one in without_agreement(chain.frames())]
    assert sentences == [one.sentence for one in without_agreement(chain.frames("duckdb"))]
    return sentences


def test_forecasts_without_an_agreement_are_named() -> None:
    chain = Chain().contract().agreement()
    chain.forecast(3, TEN[0]).forecast(3, TEN[0], "S9").forecast(3, TEN[1], "S9")
    assert notes(chain) == [
        "Forecasts name S9 in C1, which has no agreement on record: they count for nothing."
    ]


def test_referrals_without_an_agreement_still_count_in_the_primes_intake() -> None:
    chain = Chain().contract().agreement()
    chain.referral("P", TEN[0], "S9").referral("S8", TEN[0], "S8")
    assert notes(chain) == [
        "Referrals name S8 in C1, which has no agreement on record: they count for nothing.",
        "Referrals name S9 in C1, which has no agreement on record: they count only in the "
        "prime's intake.",
    ]


def test_payments_without_an_agreement_are_named() -> None:
    chain = Chain().contract().payment("P", TEN[0], 100, 80, subcontractor="S9")
    assert notes(chain) == [
        "Payments name S9 in C1, which has no agreement on record: they count for nothing."
    ]


def test_a_contract_that_is_not_on_record_is_named_with_its_forecast() -> None:
    chain = Chain().contract().forecast(3, TEN[0], None, contract_id="C9").forecast(3, TEN[0], None)
    chain.referral("P", TEN[0], contract_id="C9")
    assert notes(chain) == [
        "Forecasts name the contract C9 as a whole, a contract that is not on record: they count "
        "for nothing.",
        "Referrals name S in C9, a contract that is not on record: they count for nothing.",
    ]


def test_clients_kept_in_house_are_not_a_note() -> None:
    chain = (
        Chain().contract().referral("P", TEN[0], "P").payment("P", TEN[0], 5, 5, subcontractor="P")
    )
    assert notes(chain) == []


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["forecasts", "referrals", "payments"]),
        st.sampled_from(["C1", "C2", "C3"]),
        st.sampled_from(["S1", "S2", "P", None]),
        st.sampled_from(["P", "S1", "X"]),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(
    st.sets(st.sampled_from(["C1", "C2"])),
    st.sets(st.tuples(st.sampled_from(["C1", "C2", "C3"]), st.sampled_from(["S1", "S2"]))),
    ROWS,
)
def test_a_plain_loop_names_the_same(
    contracts: set[str],
    agreements: set[tuple[str, str]],
    rows: Sequence[tuple[str, str, str | None, str]],
) -> None:
    chain = Chain()
    for contract_id in sorted(contracts):
        chain.contract(contract_id)
    for contract_id, subcontractor_id in sorted(agreements):
        chain.agreement(subcontractor_id, contract_id)
    expected: Counter[tuple[str, str, str | None, bool]] = Counter()
    in_intake = set()
    for table, contract_id, subcontractor_id, by in rows:
        if table == "forecasts":
            chain.forecast(1, TEN[0], subcontractor_id, by=by, contract_id=contract_id)
        elif subcontractor_id is None:
            continue
        elif table == "referrals":
            chain.referral(by, TEN[0], subcontractor_id, contract_id=contract_id)
        else:
            chain.payment(by, TEN[0], 1, 1, subcontractor=subcontractor_id, contract_id=contract_id)
        known = contract_id in contracts
        if (contract_id, subcontractor_id) in agreements:
            continue
        if known and subcontractor_id in ("P", None):
            continue
        expected[table, contract_id, subcontractor_id, known] += 1
        if table == "referrals" and known and by == "P":
            in_intake.add((contract_id, subcontractor_id))
    for engine in ("pandas", "duckdb"):
        found = without_agreement(chain.frames(engine))
        assert (
            Counter(
                {
                    (
                        one.table,
                        one.contract_id,
                        one.subcontractor_id,
                        one.contract_known,
                    ): one.row_count
                    for one in found
                }
            )
            == expected
        )
        assert {(o.contract_id, o.subcontractor_id) for o in found if o.in_intake} == in_intake


def test_statuses_that_are_not_assessed_exist() -> None:
    from metrics.what_if import NOT_ASSESSED

    assert set(NOT_ASSESSED) < set(STATUSES)
