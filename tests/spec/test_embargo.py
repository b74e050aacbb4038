"""A confidential contract is counted with no other: not in clumping, not among many, not in sums.

Whatever the ledger, the answers about other contracts are exactly those of a ledger without the
confidential one, and its own are those of a ledger that holds nothing else.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.assessment import assess_facts
from metrics.clumping import clumping_sentence
from metrics.facts import gather
from metrics.programme import standing_sentence
from metrics.rules import rules_as_of
from metrics.spend_by_sector import Spend, spend_by_contract, spend_by_programme
from tests.generative.test_flags import AS_OF, chains
from tests.oracle.chain import Chain, months

if TYPE_CHECKING:
    from metrics.definition import Assessment
    from metrics.frames import Frames

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)


def answers(frames: Frames, as_of: dt.date, *confidential: str) -> list[Assessment]:
    facts = gather(frames, as_of, confidential=frozenset(confidential))
    return assess_facts(facts, rules_as_of(as_of).override({"overdispersion_pairs": "2"}))


def of(found: list[Assessment], *contract_ids: str) -> list[Assessment]:
    return [one for one in found if one.contract_id in contract_ids]


def two_contracts() -> Chain:
    """Two contracts of one programme, two silent subcontractors in each."""
    chain = Chain().organisation("P", "Sample Prime Ltd")
    for contract_id, subcontractors in (("C1", ("S1", "S2")), ("C2", ("S3", "S4"))):
        chain.contract(contract_id)
        for number, subcontractor in enumerate(subcontractors):
            chain.agreement(subcontractor, contract_id, named_in_bid=True)
            chain.covers(subcontractor, TEN, "referrals")
            for place, month in enumerate(TEN):
                chain.forecast(5, month, subcontractor, contract_id=contract_id)
                if number:
                    count = 1 + (9 * place) % 10
                    chain.referral(
                        subcontractor, month, subcontractor, count, contract_id=contract_id
                    )
    return chain


def test_other_contracts_are_told_as_if_the_confidential_one_were_not_there() -> None:
    frames = two_contracts().frames()
    found = answers(frames, TODAY, "C2")
    assert of(found, "C1") == answers(frames.of_contracts(["C1"]), TODAY)
    assert of(found, "C1") != of(answers(frames, TODAY), "C1")


def test_its_own_agreements_are_counted_among_themselves_and_it_says_so() -> None:
    frames = two_contracts().frames()
    found = answers(frames, TODAY, "C2")
    assert of(found, "C2") == answers(frames.of_contracts(["C2"]), TODAY, "C2")
    zero = next(one for one in of(found, "C2") if one.flag == "zero_referrals")
    standing, clumping = zero.evidence["among_programme"], zero.evidence["overdispersion"]
    assert (standing["assessed"], standing["of"]) == (2, "contract")
    assert "Counted among the 2 answers of its contract" in standing_sentence(standing)
    assert clumping["of"] == "contract"
    assert clumping_sentence(clumping).startswith("Clients of this contract come")
    few = clumping | {"basis": "too few pairs"}
    assert "of neighbouring months of this contract are too few" in clumping_sentence(few)


def test_an_agreement_whose_contract_is_not_in_the_register_can_be_confidential() -> None:
    chain = two_contracts()
    chain.contracts.clear()
    facts = gather(chain.frames(), TODAY, confidential=frozenset({"C2"}))
    assert {one.pool for one in facts.agreements} == {("", ""), ("", "C2")}


def test_the_spend_of_a_programme_leaves_it_out_and_its_own_is_there() -> None:
    chain = two_contracts()
    for contract_id, subcontractor in (("C1", "S1"), ("C2", "S3")):
        chain.payment("P", TEN[0], 1000, 850, subcontractor=subcontractor, contract_id=contract_id)
    chain.covers("P", TEN, "payments")
    facts = gather(chain.frames(), TODAY, confidential=frozenset({"C2"}))
    whole, alone = spend_by_programme(facts)["Work Programme"], spend_by_contract(facts)
    assert whole == alone["C1"]
    assert alone["C2"].payable_pence == 850
    all_of_it = gather(chain.frames(), TODAY, confidential=frozenset({"C1", "C2"}))
    assert spend_by_programme(all_of_it) == {"Work Programme": Spend(None, 0, ())}


@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(chain=chains(), data=st.data())
def test_whatever_the_ledger_no_other_answer_rests_on_it(chain: Chain, data: Any) -> None:
    for contract in chain.contracts:
        contract["programme"] = "Work Programme"
    contract_ids = [contract["contract_id"] for contract in chain.contracts]
    secret = data.draw(st.sampled_from(contract_ids))
    others = [one for one in contract_ids if one != secret]
    frames = chain.frames("duckdb")
    found = answers(frames, AS_OF, secret)
    assert of(found, *others) == answers(frames.of_contracts(others), AS_OF)
    assert of(found, secret) == answers(frames.of_contracts([secret]), AS_OF, secret)


@pytest.mark.parametrize("confidential", [(), ("C1", "C2")])
def test_without_pooling_nothing_else_changes(confidential: tuple[str, ...]) -> None:
    """Under embargo or not, an answer that rests on one agreement alone is the same."""
    frames = two_contracts().frames()
    alone = ("risk_transfer", "not_reported", "named_without_consent", "payment_delay")
    pooled = [one for one in answers(frames, TODAY) if one.flag in alone]
    assert [one for one in answers(frames, TODAY, *confidential) if one.flag in alone] == pooled
