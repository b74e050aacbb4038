"""Whatever the chain, `unreconciled` and its plain-loop oracle say the same.

A drawn ledger holds several small chains at once, each of a contract and organisations of its
own, so that 200 of them are looked at in seconds.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
import random
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.facts import gather
from metrics.flags.unreconciled import account, assess, source_rows, without_shared_clients
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, months
from tests.oracle.unreconciled_oracle import Oracle

if TYPE_CHECKING:
    from metrics.definition import Assessment

MONTHS = months("2011-06", 6)
AS_OF = dt.date(2012, 1, 15)
AT_ONCE = 40


def add_contract(chain: Chain, c: int, pick: random.Random) -> None:
    """One contract with one or two agreements, reported well, badly, by one side or not at all."""
    contract_id, prime, subcontractors = f"C{c}", f"P{c}", [f"S{c}", f"T{c}"]
    chain.contract(contract_id, prime, "2011-06-10", pick.choice([None, None, "2011-09-30"]))
    if pick.random() < 0.15:
        subcontractors[1] = prime
    for subcontractor in subcontractors[: pick.randint(1, 2)]:
        chain.agreement(
            subcontractor,
            contract_id,
            live_on=pick.choice([None, None, None, "2011-07-31", "2013-01-01"]),
            ends_on=pick.choice([None, None, None, "2011-10-31"]),
        )
    for subcontractor in subcontractors:
        care = pick.choice([0.0, 0.05, 0.3, 0.6])  # how often the two sides differ
        marked = pick.choice([0.0, 0.8, 1.0, 1.0])
        own_marks = pick.random() < 0.2
        for n in range(pick.choice([0, 2, 8, 20])):
            log = pick.choice(["referrals", "payments"])
            client = f"c{pick.randint(0, 9) if pick.random() < 0.5 else n}"
            day = MONTHS[0] + dt.timedelta(days=pick.randint(0, 182))
            cells: dict[str, Any] = {
                "group": pick.choice(["ESA", "JSA 25+"]),
                "kind": pick.choice(["job_outcome", "sustainment", "adjustment"]),
                "amount": pick.choice([0, 100, 5_000, 5_040, 90_000, 90_800, -20_000]),
                "count": pick.choice([1, 1, 1, 2, 3, 0]),
                "row_id": f"i{pick.randint(0, 8)}" if pick.random() < 0.4 else None,
            }
            for side, reporter in (("P", prime), ("S", subcontractor)):
                if side == "S" and pick.random() < 0.05:
                    continue
                its, its_day = dict(cells), day
                mark = client if pick.random() < marked else None
                if mark and own_marks and pick.random() < 0.8:
                    mark = f"{side}-{client}"
                if pick.random() < care:
                    what = pick.choice(["leave", "date", "far", "amount", "twice", "group"])
                    if what == "leave":
                        continue
                    if what == "date":
                        its_day += dt.timedelta(days=pick.randint(-8, 8))
                    if what == "far":
                        its_day += dt.timedelta(days=pick.randint(9, 60))
                    if what == "amount":
                        its["amount"] += pick.choice([-101, 99, 450, 2_000])
                        its["count"] += 1
                    if what == "group":
                        its["group"], its["kind"] = "ESA", "service_fee"
                    if what == "twice":
                        add_row(
                            chain, log, reporter, contract_id, subcontractor, its_day, its, mark
                        )
                add_row(chain, log, reporter, contract_id, subcontractor, its_day, its, mark)
    for log in ("referrals", "payments"):
        for reporter in {prime, *subcontractors}:
            share = pick.choice([0.0, 0.6, 1.0, 1.0])
            some = [month for month in MONTHS if pick.random() < share]
            chain.covers(reporter, some, log)  # type: ignore[arg-type]


def add_row(
    chain: Chain,
    log: str,
    reporter: str,
    contract_id: str,
    subcontractor: str,
    day: dt.date,
    cells: dict[str, Any],
    mark: str | None,
) -> None:
    month = day.replace(day=1)
    if log == "referrals":
        own = {} if cells["row_id"] is None else {"referral_id": cells["row_id"]}
        chain.referral(
            reporter,
            month,
            subcontractor,
            cells["count"],
            cells["group"],
            contract_id,
            client_hash=mark,
            referred_on=day,
            **own,
        )
    else:
        own = {} if cells["row_id"] is None else {"payment_id": cells["row_id"]}
        chain.payment(
            reporter,
            month,
            None,
            cells["amount"],
            True,
            subcontractor,
            cells["group"],
            contract_id,
            client_hash=mark,
            earned_on=day,
            payment_type=cells["kind"],
            **own,
        )


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
    """What the oracle answers too, the events by class in each log among it."""
    told = {}
    for one in found:
        counts = {
            log: {
                kind: sum(its[kind].values()) if kind == "duplicate" else its[kind]
                for kind in (
                    "matched",
                    "other_amount",
                    "other_date",
                    "prime_only",
                    "subcontractor_only",
                    "duplicate",
                )
            }
            for log, its in one.evidence["logs"].items()
        }
        names = ("status", "value", "low", "high", "attributed_to")
        told[one.contract_id, one.subcontractor_id] = {
            name: getattr(one, name) for name in names
        } | {"counts": counts}
    assert len(told) == len(found), "an agreement was assessed twice"
    return told


def assert_alike(found: dict[Any, dict[str, Any]], wanted: dict[Any, dict[str, Any]]) -> None:
    assert found.keys() == wanted.keys()
    for key, answer in wanted.items():
        got = dict(found[key])
        value, got_value = answer["value"], got.pop("value")
        assert (value is None) == (got_value is None), key
        assert value is None or math.isclose(got_value, value, rel_tol=1e-12), key
        assert got == {name: cell for name, cell in answer.items() if name != "value"}, key


slow = settings(deadline=None, max_examples=5, suppress_health_check=list(HealthCheck))
few = settings(slow, max_examples=1)


@slow
@given(
    ledgers(),
    st.sampled_from([None, *MONTHS[3:]]),
    st.sampled_from([{}, {}, {"reconciliation_days": "0"}, {"reconciliation_days": "30"}]),
)
def test_pandas_agrees_with_the_oracle(
    chain: Chain, through: dt.date | None, rules: dict[str, str]
) -> None:
    wanted = Oracle(dict(chain.rows()), AS_OF, through, rules).answers()
    assert_alike(answers(assessed(chain, through=through, **rules)), wanted)


@few
@given(ledgers())
def test_duckdb_agrees_with_pandas_in_every_field(chain: Chain) -> None:
    on_duckdb = [one.answer() for one in assessed(chain, "duckdb")]
    assert on_duckdb == [one.answer() for one in assessed(chain)]
    json.dumps(on_duckdb, allow_nan=False)


@few
@given(ledgers(), st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(chain: Chain, shuffler: random.Random) -> None:
    before = assessed(chain)
    for rows in chain.rows().values():
        shuffler.shuffle(rows)
    assert [one.answer() for one in assessed(chain)] == [one.answer() for one in before]


@few
@given(ledgers())
def test_neither_strangers_nor_other_agreements_change_an_answer(chain: Chain) -> None:
    before = answers(assessed(chain))
    more = copy.deepcopy(chain)
    for row in (*chain.referrals, *chain.payments):
        target = more.referrals if "referral_id" in row else more.payments
        target.append(row | {"reporter_id": "G"})
    more.covers("G", MONTHS, "referrals").covers("P0", [dt.date(2010, 1, 1)], "referrals")
    more.contract("C9x", "P0").agreement("S0", "C9x").agreement("S9x", "C0")
    more.referral("P0", MONTHS[0], "S9x", contract_id="C0", client_hash="c1")
    more.referral("S9x", MONTHS[0], "S9x", contract_id="C0", client_hash="c1")
    more.referral("S0", MONTHS[0], "S0", contract_id="C9x", client_hash="c2")
    after = answers(assessed(more))
    assert_alike({key: after[key] for key in before}, before)


@few
@given(ledgers(), st.integers(2, 1000))
def test_scaling_all_money_and_the_sum_that_is_not_counted_leaves_the_shares(
    chain: Chain, factor: int
) -> None:
    before = answers(assessed(chain))
    for row in chain.payments:
        row["subcontractor_amount_pence"] *= factor
    after = answers(assessed(chain, reconciliation_amount_pounds=str(factor)))
    assert_alike(after, before)


@few
@given(ledgers())
def test_swapping_the_sides_swaps_what_is_one_sided(chain: Chain) -> None:
    """Nobody is favoured: what only one side reports is counted alike whichever side it is."""
    for row in chain.agreements:
        row["live_on"] = row["ends_on"] = None
    chain.agreements = [row for row in chain.agreements if row["subcontractor_id"][0] == "S"]
    before = answers(assessed(chain, reconciliation_days="0"))
    for rows in (chain.referrals, chain.payments, chain.coverage):
        for row in rows:
            name = row["reporter_id"]
            other = {"P": "S", "S": "P"}.get(name[0])
            row["reporter_id"] = f"{other}{name[1:]}" if other else name
    after = answers(assessed(chain, reconciliation_days="0"))
    for key, answer in before.items():
        assert (after[key]["status"], after[key]["value"]) == (answer["status"], answer["value"])
        for log, counts in answer["counts"].items():
            swapped = after[key]["counts"][log]
            assert swapped["prime_only"] == counts["subcontractor_only"]
            assert swapped["subcontractor_only"] == counts["prime_only"]


@few
@given(ledgers())
def test_a_subcontractor_is_told_all_but_the_clients_shared_with_others(chain: Chain) -> None:
    facts = gather(chain.frames(), AS_OF)
    for whole in assess(facts, rules_as_of(AS_OF)):
        found = without_shared_clients(whole)
        assert found.evidence["shared_clients"] is None
        theirs, ours = account(found, facts), account(whole, facts)
        assert set(theirs.happened) <= set(ours.happened)
        assert (theirs.promise, theirs.arithmetic) == (ours.promise, ours.arithmetic)


@settings(slow, max_examples=1)
@given(ledgers())
def test_every_row_named_as_differing_is_a_row_of_the_ledger(chain: Chain) -> None:
    facts = gather(chain.frames(), AS_OF)
    ids = {(r["reporter_id"], r["return_id"], r["row_number"]) for r in chain.referrals}
    for found in assess(facts, rules_as_of(AS_OF))[:6]:
        rows = source_rows(found, facts)
        assert len({(r.table, r.reporter_id, r.row_number) for r in rows}) == len(rows)
        for side, reporter in (
            ("prime", found.prime_id),
            ("subcontractor", found.subcontractor_id),
        ):
            named = [
                (reporter, return_id, row_number)
                for kinds in found.evidence["rows"][side].get("referrals", {}).values()
                for return_id, row_number, _ in kinds
            ]
            assert len(named) == len(set(named)), "a row is of two classes"
            assert set(named) <= ids
            listed = {
                (r.reporter_id, r.return_id, r.row_number) for r in rows if r.table == "referrals"
            }
            assert set(named) <= listed


def test_the_ledgers_reach_every_status_and_class() -> None:
    seen: set[str] = set()
    classes: set[str] = set()

    @settings(slow, max_examples=5, derandomize=True, database=None)
    @given(ledgers())
    def look(chain: Chain) -> None:
        for answer in Oracle(dict(chain.rows()), AS_OF).answers().values():
            seen.add(answer["status"])
            for counts in answer["counts"].values():
                classes.update(kind for kind, number in counts.items() if number)

    look()
    assert seen == {"raised", "watch", "clear", "not_reported", "not_applicable"}
    assert classes == {
        "matched",
        "other_amount",
        "other_date",
        "prime_only",
        "subcontractor_only",
        "duplicate",
    }
