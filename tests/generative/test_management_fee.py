"""Whatever the chain, the fee with its whole evidence and its plain-loop oracle say the same.

A drawn ledger holds several small chains at once, each of a contract and organisations of its
own, so that 200 of them are looked at in a few seconds.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from metrics.facts import gather
from metrics.fee_sampling import fee_interval, sampling_interval
from metrics.flags.management_fee import account, assess, source_rows
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, months
from tests.oracle.fee_oracle import Oracle

if TYPE_CHECKING:
    from metrics.definition import Assessment

MONTHS = months("2011-06", 8)
AS_OF = dt.date(2012, 1, 15)
GROUPS = (None, "ESA", "JSA 25+")
TYPES = ("attachment_fee", "job_outcome", "adjustment")
AT_ONCE = 20


def add_contract(chain: Chain, c: int, pick: random.Random) -> None:
    """One contract with one or two agreements, reported well, badly, by one side or not at all."""
    contract_id, prime, subcontractors = f"C{c}", f"P{c}", [f"S{c}", f"T{c}"]
    ends_on = pick.choice([None, None, "2011-09-30", "2011-05-31"])
    chain.contract(contract_id, prime, "2011-06-10", ends_on)
    if pick.random() < 0.15:
        subcontractors[1] = prime
    true_fee = pick.choice([0.0, 0.12, 0.15, 0.15, 0.18, 0.3])
    for subcontractor in subcontractors[: pick.randint(1, 2)]:
        chain.agreement(
            subcontractor,
            contract_id,
            live_on=pick.choice([None, None, None, "2011-07-31", "2013-01-01"]),
            ends_on=pick.choice([None, None, None, "2011-10-31"]),
            agreed_management_fee_rate=pick.choice([None, 0.0, 0.12, true_fee]),
        )
    for payee in (None, *subcontractors):
        for group in ("ESA", "JSA 25+"):
            for kind in pick.sample(TYPES, pick.randint(0, 2)):
                pence = pick.choice([0, 40_000, 120_000, 99_999])
                cells = {"payment_type": kind, "price_pence": pence}
                chain.price(group, payee, contract_id, **cells)
    for subcontractor in subcontractors:
        rate = pick.choice([0.0, 0.4, 1.0])
        prompt = pick.choice([0.3, 0.8, 1.0])
        dated = pick.choice([0.0, 0.7, 1.0])
        for by in (prime, subcontractor, "G"):
            for _ in range(pick.choice([0, 3, 12])):
                if pick.random() > rate:
                    continue
                month = pick.choice(MONTHS)
                came = pick.choice([20_000, 40_000, 120_000, 33_333, 0, -90_000])
                payable = round(came * (1 - true_fee)) + pick.choice([0, 0, 0, 1, -1])
                if pick.random() < 0.1:
                    payable = pick.choice([-20_000, 0, 150_000])
                chain.payment(
                    by,
                    month,
                    None if pick.random() < 0.1 else came,
                    payable,
                    pick.random() < prompt,
                    subcontractor,
                    pick.choice(GROUPS),
                    contract_id,
                    received_on=month.replace(day=27) if pick.random() < dated else None,
                    client_hash=pick.choice([None, "a", "b", "c", "d"]),
                    payment_type=pick.choice(TYPES),
                )
    for reporter in sorted({prime, *subcontractors, "G"}):
        share = pick.choice([0.0, 0.6, 1.0, 1.0])
        chain.covers(reporter, [one for one in MONTHS if pick.random() < share], "payments")


@st.composite
def ledgers(draw: st.DrawFn) -> Chain:
    """Hypothesis draws a seed; the many cells come from the generator it seeds."""
    pick = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311
    chain = Chain()
    for c in range(AT_ONCE):
        add_contract(chain, c, pick)
    return chain


def assessed(
    chain: Chain, engine: Any = "pandas", through: dt.date | None = None, **rules: str
) -> list[Assessment]:
    facts = gather(chain.frames(engine), AS_OF, through)
    return assess(facts, rules_as_of(AS_OF).override(rules))


def answers(found: list[Assessment]) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Each answer with its evidence in one, as the oracle gives it."""
    told = {
        (one.contract_id, one.subcontractor_id): {
            **{
                name: cell for name, cell in one.evidence.items() if name not in ("window", "rules")
            },
            "status": one.status,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "attributed_to": one.attributed_to,
        }
        for one in found
    }
    assert len(told) == len(found), "an agreement was assessed twice"
    return told


def assert_alike(found: Any, wanted: Any, where: str = "") -> None:
    """The same keys and cells all the way down; shares to nine decimals."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys(), where
        for name, cell in wanted.items():
            assert_alike(found[name], cell, f"{where} {name}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for one, other in zip(found, wanted, strict=True):
            assert_alike(one, other, where)
    elif isinstance(wanted, (Fraction, float)):
        assert found is not None, where
        assert math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9), (where, found, wanted)
    else:
        assert found == wanted, where


slow = settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a smaller seed is no smaller chain
)
few = settings(slow, max_examples=2)


@slow
@given(
    ledgers(),
    st.sampled_from([None, *MONTHS[3:]]),
    st.sampled_from(["0.15", "0.15", "0.12", "0.2"]),
)
def test_pandas_agrees_with_the_oracle(chain: Chain, through: dt.date | None, limit: str) -> None:
    wanted = Oracle(dict(chain.rows()), AS_OF, through, limit).answers()
    assert_alike(answers(assessed(chain, through=through, management_fee=limit)), wanted)


@few
@given(ledgers())
def test_duckdb_agrees_with_pandas_in_every_field(chain: Chain) -> None:
    on_duckdb = assessed(chain, "duckdb")
    assert [one.answer() for one in on_duckdb] == [one.answer() for one in assessed(chain)]
    json.dumps([one.answer() for one in on_duckdb], allow_nan=False)


@settings(few, max_examples=1)
@given(ledgers())
def test_every_account_and_every_row_behind_it_can_be_given(chain: Chain) -> None:
    oracle = Oracle(dict(chain.rows()), AS_OF)
    contracts = {row["contract_id"]: row for row in chain.contracts}
    agreements = {(row["contract_id"], row["subcontractor_id"]): row for row in chain.agreements}
    facts = gather(chain.frames(), AS_OF)
    for found in assess(facts, rules_as_of(AS_OF)):
        told = account(found, facts)
        for sentence in (*told.promise, *told.happened, *told.arithmetic):
            assert sentence.endswith("."), sentence
            assert "None" not in sentence, sentence
            assert "nan" not in sentence.split(), sentence
        rows = source_rows(found, facts)
        agreement = agreements[found.contract_id, found.subcontractor_id or ""]
        wanted = oracle.source_rows(contracts[found.contract_id], agreement)
        given_rows = [
            (row.table, row.reporter_id, row.row_number) for row in rows if row.table == "payments"
        ]
        assert len(given_rows) == len(set(given_rows))
        assert set(given_rows) == wanted


@few
@given(ledgers(), st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(chain: Chain, shuffler: random.Random) -> None:
    before = [one.answer() for one in assessed(chain)]
    for rows in chain.rows().values():
        shuffler.shuffle(rows)
    assert [one.answer() for one in assessed(chain)] == before


@few
@given(ledgers())
def test_neither_strangers_nor_other_agreements_change_an_answer(chain: Chain) -> None:
    before = answers(assessed(chain))
    more = copy.deepcopy(chain)
    more.payments += [row | {"reporter_id": "G"} for row in chain.payments]
    more.covers("G", MONTHS, "payments")
    more.contract("C9x", "P0").agreement("S0", "C9x").agreement("S9x", "C0")
    more.payment("P0", MONTHS[0], 100_000, 0, True, "S9x", contract_id="C0")
    more.payment("P0", MONTHS[0], 100_000, 0, True, "S0", contract_id="C9x")
    after = answers(assessed(more))
    assert_alike({key: after[key] for key in before}, before)


@few
@given(ledgers(), st.integers(2, 1000))
def test_scaling_all_money_leaves_every_share(chain: Chain, factor: int) -> None:
    """Only what rounding to whole pence could explain grows smaller beside it."""
    before = answers(assessed(chain))
    for row in chain.payments:
        for name in ("commissioner_amount_pence", "subcontractor_amount_pence"):
            row[name] = None if row[name] is None else row[name] * factor
    for key, answer in answers(assessed(chain)).items():
        for name in ("status", "value", "low", "high", "effective_above_agreed"):
            assert_alike(answer[name], before[key][name], name)
        for name in ("fee", "lag_effect"):
            assert_alike(answer["cash"][name], before[key]["cash"][name], name)


clients = st.lists(
    st.tuples(st.integers(0, 300_000), st.integers(0, 300_000)), min_size=2, max_size=80
)


@settings(slow, max_examples=60)
@given(clients, st.integers(2, 50), st.randoms(use_true_random=False))
def test_the_interval_over_clients_holds_the_fee_and_follows_the_money_alone(
    pence: list[tuple[int, int]], factor: int, shuffler: random.Random
) -> None:
    """It encloses the fee; neither order nor scale move it; a wider level never narrows it."""

    def interval(of: list[tuple[int, int]], level: float = 0.95) -> tuple[float, float] | None:
        return fee_interval([r for r, _ in of], [p for _, p in of], level, 7)

    found = interval(pence)
    if found is None:
        return
    received, payable = sum(r for r, _ in pence), sum(p for _, p in pence)
    assert found[0] <= 1 - payable / received <= found[1]
    shuffled = [(factor * r, factor * p) for r, p in pence]
    shuffler.shuffle(shuffled)
    assert_alike(list(interval(shuffled) or ()), list(found))
    narrow = interval(pence, 0.8)
    assert narrow is not None
    assert found[0] <= narrow[0] <= narrow[1] <= found[1]


@settings(few, max_examples=1)
@given(ledgers(), st.randoms(use_true_random=False))
def test_the_interval_of_an_agreement_is_the_same_on_every_engine_and_in_any_order(
    chain: Chain, shuffler: random.Random
) -> None:
    keys = [(row["contract_id"], row["subcontractor_id"]) for row in chain.agreements][:12]
    before = [
        sampling_interval(gather(chain.frames(), AS_OF), *key, least_clients=3, level=0.9)
        for key in keys
    ]
    shuffler.shuffle(chain.payments)
    facts = gather(chain.frames("duckdb"), AS_OF)
    after = [sampling_interval(facts, *key, least_clients=3, level=0.9) for key in keys]
    assert after == before


def test_the_ledgers_reach_every_status_and_kind_of_evidence() -> None:
    seen: set[Any] = set()

    @settings(slow, max_examples=5, derandomize=True, database=None)
    @given(ledgers())
    def look(chain: Chain) -> None:
        for answer in Oracle(dict(chain.rows()), AS_OF).answers().values():
            seen.add(answer["status"])
            seen.add(("agreed_differs", answer["agreed_differs"]))
            seen.add(("within_rounding", answer["within_rounding"]))
            lag = answer["cash"]["lag_effect"]
            seen.add(("lag", None if lag is None else (lag > 0) - (lag < 0)))
            seen.add(("priced", bool(answer["priced_fee"])))

    look()
    assert seen == {
        *("raised", "watch", "clear", "not_reported", "not_applicable"),
        *(("agreed_differs", one) for one in (True, False, None)),
        *(("within_rounding", one) for one in (True, False)),
        *(("lag", one) for one in (-1, 0, 1, None)),
        *(("priced", one) for one in (True, False)),
    }
