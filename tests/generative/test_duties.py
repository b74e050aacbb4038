"""Late payment, risk passed down, overdue returns and consent: the product against the oracle.

One draw is twenty-five supply chains side by side that share nothing but the day, so that eight
draws are two hundred random chains.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.facts import gather
from metrics.flags import named_without_consent, not_reported, payment_delay, risk_transfer
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, month, months
from tests.oracle.duties_oracle import Oracle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metrics.definition import Assessment

FLAGS = (payment_delay, risk_transfer, not_reported, named_without_consent)
CHAINS = 25

# First month and as-of day: before there was a reference rate, the year it fell from 5 % to 2 %,
# before and after the 30 days became law, and after the last rate in the table.
ERAS = (
    ("2002-04", "2002-12-20"),
    ("2008-08", "2009-04-15"),
    ("2014-12", "2015-08-31"),
    ("2026-06", "2027-02-10"),
)
ASKED = {
    "payment_days": ["30", "30", "14", "60"],
    "payment_delay": ["0.05", "0.5"],
    "payment_delay_invoices": ["2", "2", "0"],
    "risk_transfer": ["1", "3"],
    "not_reported": ["2", "0"],
    "reporting_days": ["31", "0", "45"],
    "named_without_consent": ["0", "10"],
}


@dataclass
class Case:
    """Many small chains, the day they are asked about, and the rules asked for."""

    chain: Chain
    first: str
    as_of: dt.date
    rules: dict[str, str]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Hypothesis draws the shape; the many cells come from a generator it seeds."""
    first, as_of = draw(st.sampled_from(ERAS))
    rules = {name: draw(st.sampled_from(values)) for name, values in ASKED.items()}
    pick = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311
    chain = Chain()
    for place in range(CHAINS):
        _add(chain, pick, str(place), first, dt.date.fromisoformat(as_of))
    return Case(chain, first, dt.date.fromisoformat(as_of), rules)


def _add(chain: Chain, pick: random.Random, place: str, first: str, as_of: dt.date) -> None:
    """One contract of a prime with up to three subcontractors, one of them perhaps itself."""
    contract_id, prime = f"C{place}", f"P{place}"
    every = months(first, 8)
    begins = every[0].replace(day=20)
    starts_on = pick.choice([begins, every[3]])
    if pick.random() < 0.93:
        ends_on = pick.choice([None, None, None, every[2], begins - dt.timedelta(days=40)])
        chain.contract(contract_id, prime, str(starts_on), str(ends_on) if ends_on else None)
    subcontractors = [f"S{place}", f"T{place}", prime]
    chosen = pick.sample(subcontractors, pick.randint(1, 3))
    for subcontractor in chosen:
        shares = [None, 0.0, 0.1, 0.3, 0.7, 0.8, 1.0]
        chain.agreement(
            subcontractor,
            contract_id,
            pick.random() < 0.7,
            live_on=pick.choice([None, None, str(every[1]), str(every[7]), "2100-01-01"]),
            ends_on=pick.choice([None, None, None, str(every[5]), str(every[0])]),
            at_risk_share=pick.choice(shares),
            prime_at_risk_share=pick.choice(shares),
            payment_terms_days=pick.choice([None, None, 0, 14, 30, 45, 90]),
            consented_on=pick.choice(
                [None, starts_on, *(starts_on + dt.timedelta(days=d) for d in (-10, -9, 1, 40))]
            ),
        )
    slow = pick.choice([0.0, 0.1, 0.9, None])  # how often a payment is late; None: new and unpaid
    for by in sorted({*chosen, prime, f"G{place}"}):
        share = pick.choice([0.0, 0.6, 1.0, 1.0])
        covered = [one for one in every if pick.random() < share]
        for log in ("referrals", "payments"):
            for one in covered if pick.random() < 0.8 else covered[:3]:
                received_on = min(
                    one + dt.timedelta(days=pick.choice([31, 60, 75, 200])),
                    as_of + dt.timedelta(days=pick.choice([0, 0, 5])),
                )
                chain.covers(by, [one], log, str(received_on))  # type: ignore[arg-type]
        about = chosen if by in (prime, f"G{place}") else [by]
        for one in [c["month"] for c in chain.coverage if _payments_of(c, by)]:
            for _ in range(pick.choice([0, 0, 1, 2])):
                _payment(chain, pick, by, one, pick.choice(about), contract_id, slow)


def _payments_of(covered: dict[str, Any], reporter: str) -> bool:
    return covered["table"] == "payments" and covered["reporter_id"] == reporter


def _payment(
    chain: Chain,
    pick: random.Random,
    by: str,
    earned: dt.date,
    subcontractor: str,
    contract_id: str,
    slow: float | None,
) -> None:
    invoiced_on = pick.choice([earned, earned, earned + dt.timedelta(days=pick.randint(1, 40))])
    waits = [31, 45, 46, 60, 61, 150, None] if pick.random() < (slow or 0) else [-2, 0, 1, 30, None]
    wait = pick.choice(waits)
    if slow is None:
        invoiced_on, wait = earned + dt.timedelta(days=25), None
    chain.payment(
        by,
        earned,
        1000,
        pick.choice([0, -20, 999_99, 1_000_00, 9_999_99, 10_000_00, pick.randint(1, 10**6)]),
        subcontractor=subcontractor,
        contract_id=contract_id,
        invoiced_on=None if pick.random() < 0.1 else invoiced_on,
        paid_on=None if wait is None else invoiced_on + dt.timedelta(days=wait),
        received_on=pick.choice([None, earned + dt.timedelta(days=pick.randint(5, 60))]),
        payment_type=pick.choice(["job_outcome", "sustainment", "attachment_fee", "adjustment"]),
    )


Key = tuple[str, str, "str | None"]


def assess(case: Case, engine: Any = "pandas", chain: Chain | None = None) -> list[Assessment]:
    facts = gather((chain or case.chain).frames(engine), case.as_of)
    rules = rules_as_of(case.as_of).override(case.rules)
    return [found for flag in FLAGS for found in flag.assess(facts, rules)]


def by_key(found: list[Assessment]) -> dict[Key, Assessment]:
    answers = {(one.flag, one.contract_id, one.subcontractor_id): one for one in found}
    assert len(answers) == len(found), "an agreement was assessed twice"
    return answers


def told(found: Assessment) -> dict[str, Any]:
    """An answer with what is behind it, in the oracle's words."""
    answer = {
        name: getattr(found, name) for name in ("status", "value", "low", "high", "attributed_to")
    }
    if found.flag == "payment_delay" and found.status != "not_reported":
        evidence = found.evidence
        payments, claim = evidence["payments"], evidence["claim"]
        answer["late"] = (
            payments["paid_late"],
            payments["unpaid_late"],
            payments["not_due"],
            evidence["late_invoices"],
        )
        answer["mean_days"] = evidence["regulation_38"]["mean_days"]
        answer["receipt_days"] = evidence["from_receipt"]["mean_days"]
        answer["claim"] = claim["interest_pence"], claim["compensation_pence"]
    return answer


def assert_alike(found: Mapping[Key, Assessment], wanted: Mapping[Key, dict[str, Any]]) -> None:
    assert found.keys() == wanted.keys()
    for key, answer in wanted.items():
        got = told(found[key])
        assert got.keys() == answer.keys(), key
        for name, value in answer.items():
            if isinstance(value, float) and isinstance(got[name], float):
                assert math.isclose(got[name], value, rel_tol=1e-12), (key, name, got, answer)
            else:
                assert got[name] == value, (key, name, got, answer)


slow = settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
few = settings(slow, max_examples=2)


@slow
@given(cases())
def test_both_engines_agree_with_the_oracle(case: Case) -> None:
    wanted = Oracle(dict(case.chain.rows()), case.as_of, case.rules).answers()
    on_pandas, on_duckdb = assess(case), assess(case, "duckdb")
    assert_alike(by_key(on_pandas), wanted)
    assert [one.answer() for one in on_duckdb] == [one.answer() for one in on_pandas]
    json.dumps([one.answer() for one in on_duckdb], allow_nan=False)


@few
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(case: Case, shuffler: random.Random) -> None:
    before = assess(case)
    for rows in case.chain.rows().values():
        shuffler.shuffle(rows)
    assert [one.answer() for one in assess(case)] == [one.answer() for one in before]


@few
@given(cases())
def test_others_rows_and_agreements_change_nobodys_answer(case: Case) -> None:
    """A stranger's rows and returns, another contract, and another agreement of the same one."""
    before = by_key(assess(case))
    other = copy.deepcopy(case.chain)
    for row in case.chain.payments[:20]:
        other.payments.append(row | {"reporter_id": "X"})
    every = months(case.first, 8)
    for log in ("referrals", "payments"):
        other.covers("X", every, log).covers("Z", every, log)
    contract_id = case.chain.contracts[0]["contract_id"]
    other.contract("D", "Z", str(every[0])).agreement("Z", "D", True).agreement("Y", contract_id)
    other.payment("Z", every[0], 100, 90, subcontractor="Z", contract_id="D")
    after = by_key(assess(case, chain=other))
    added = {("D", None), ("D", "Z"), (contract_id, "Y")}
    assert {key: one.answer() for key, one in after.items() if key[1:] not in added} == {
        key: one.answer() for key, one in before.items()
    }


@few
@given(cases(), st.integers(2, 1000))
def test_scaling_all_money_leaves_every_share_and_status(case: Case, factor: int) -> None:
    before = by_key(assess(case))
    for row in case.chain.payments:
        row["subcontractor_amount_pence"] *= factor
    after = by_key(assess(case))
    assert {key: (one.status, one.value) for key, one in after.items()} == {
        key: (one.status, one.value) for key, one in before.items()
    }


@few
@given(cases())
def test_every_answer_has_an_account_and_rows_that_add_up(case: Case) -> None:
    facts = gather(case.chain.frames(), case.as_of)
    rules = rules_as_of(case.as_of).override(case.rules)
    for flag in FLAGS:
        for place, found in enumerate(flag.assess(facts, rules)):
            account = flag.account(found, facts)
            for part in (account.promise, account.happened, account.arithmetic):
                assert part
                assert all(one[-1] in ".:" and "None" not in one for one in part), part
            assert found.sentence.endswith(".")
            assert "None" not in found.sentence
            if flag is not payment_delay or place % 8:
                continue
            parts = Counter(row.part for row in flag.source_rows(found, facts))
            payments = found.evidence["payments"]
            assert parts["paid late"] == payments["paid_late"]
            assert parts["unpaid and late"] == payments["unpaid_late"]
            assert parts["unpaid, not due yet"] == payments["not_due"]
            assert parts["paid in time"] == payments["paid"] - payments["paid_late"]
            assert parts["left out: no invoice day"] == payments["without_invoice_day"]
            assert parts["left out: of nothing or less"] == payments["not_above_zero"]
            assert parts["left out: a correction"] == payments["adjustments"]


def test_the_chains_reach_every_status() -> None:
    """The generated chains are no good if some answer never comes up."""
    seen: set[tuple[str, str]] = set()

    @settings(slow, max_examples=20, derandomize=True, database=None)
    @given(cases())
    def look(case: Case) -> None:
        for (flag, _, _), answer in (
            Oracle(dict(case.chain.rows()), case.as_of, case.rules).answers().items()
        ):
            seen.add((flag, answer["status"]))

    look()
    for flag in FLAGS:
        for status, _ in flag.FLAG.statuses:
            assert (flag.FLAG.id, status) in seen


def test_the_eras_stand_where_the_law_and_the_rates_change() -> None:
    assert [month(first).year for first, _ in ERAS] == [2002, 2008, 2014, 2026]
