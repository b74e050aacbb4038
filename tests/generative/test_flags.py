"""Whatever the chain, the product and the plain-loop oracle say the same."""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
import random
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.catalogue import assessors
from metrics.facts import gather
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, months
from tests.oracle.flags_oracle import Oracle

if TYPE_CHECKING:
    from metrics.definition import Assessment

MONTHS = months("2011-06", 8)
GROUPS = ("JSA 25+", "ESA")
AS_OF = dt.date(2012, 1, 15)


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """One to three contracts, one to four subcontractors each, eight months.

    Hypothesis draws the shape; the many cells come from a generator it seeds, which is faster.
    """
    contract_count = draw(st.integers(1, 3))
    size = draw(st.sampled_from([2, 8, 25]))  # heavy counts too, else only small are compared
    reporting = draw(st.sampled_from([0.3, 0.8, 1.0]))
    pick = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311

    def some(share: float = 0.5) -> list[dt.date]:
        return [month for month in MONTHS if pick.random() < share]

    chain = Chain()
    primes, subcontractors = ["P0", "P1"], ["S0", "S1", "S2", "P0"]
    for c in range(contract_count):
        contract_id, prime = f"C{c}", pick.choice(primes)
        ends_on = pick.choice([None, None, "2011-09-30", "2011-05-31"])
        chain.contract(contract_id, prime, "2011-06-10", ends_on)
        chosen = pick.sample(subcontractors, pick.randint(1, 4))
        for subcontractor in chosen:
            chain.agreement(
                subcontractor,
                contract_id,
                pick.random() < 0.5,
                pick.choice([None, 0.0, 0.05, 0.3, 0.9, 1.0]),
                pick.choice([None, None, "2011-07-31", "2011-12-01", "2013-01-01"]),
                pick.choice([None, None, "2011-12-31", "2011-08-01"]),
            )
            for group in pick.sample(GROUPS, pick.randint(0, 2)):
                chain.price(group, subcontractor, contract_id)
        chain.price("ESA", None, contract_id)
        for subcontractor in [None, *chosen, "S9"]:
            versions = [
                (issuer, issued_on)
                for issuer in (("G", 0), ("N", 1), ("P0", 2), ("P1", 2))
                for issued_on in ("2011-05-01", "2011-08-01", "2011-08-20")
            ]
            for (by, rank), issued_on in pick.sample(versions, pick.choice([0, 1, 2, 5])):
                groups = pick.choice([[None], ["ESA"], [*GROUPS, None]])
                for month in some(0.8):
                    for group in groups:
                        count = pick.randint(0, size)
                        chain.forecast(
                            count, month, subcontractor, group, issued_on, by, rank, contract_id
                        )
        rate = pick.choice([0.0, 0.3, 1.0])
        for subcontractor in sorted({*chosen, prime, "S9"}):
            quiet = pick.random() < 0.4
            for by in sorted({subcontractor, prime, "G"}):
                for month in some(0.0 if quiet else rate):
                    count, group = pick.randint(1, size), pick.choice(GROUPS)
                    chain.referral(by, month, subcontractor, count, group, contract_id)
                for month in some(rate):
                    chain.payment(
                        by,
                        month,
                        pick.choice([None, pick.randint(-5, 1000), 1000, 1000]),
                        pick.choice([850, 850, 849, 851, 0, -20, 1200]),
                        pick.random() < 0.7,
                        subcontractor,
                        pick.choice([None, *GROUPS]),
                        contract_id,
                    )
    for table, rows in (("referrals", chain.referrals), ("payments", chain.payments)):
        for reporter in (*primes, *subcontractors[:3], "G"):
            share = pick.choice([0.0, 0.5, reporting])
            with_rows = {row["month"] for row in rows if row["reporter_id"] == reporter}
            chain.covers(reporter, sorted({*some(share), *with_rows}), table)  # type: ignore[arg-type]
    return chain


_IDS = ("contract_id", "subcontractor_id", "reporter_id", "prime_id", "commissioner_id")


def together(parts: list[Chain]) -> Chain:
    """Chains with nothing in common, in one ledger: ids and programmes get their chain's number.

    One assessment of many chains costs little more than one of a single chain.
    """
    whole = Chain()
    for number, part in enumerate(parts):
        for table, rows in part.rows().items():
            for row in rows:
                tagged = {
                    name: f"{number}-{row[name]}"
                    for name in (*_IDS, "programme")
                    if row.get(name) is not None
                }
                getattr(whole, table).append(row | tagged)
    return whole


def ledgers(size: int) -> st.SearchStrategy[list[Chain]]:
    """That many chains, to be put together in one ledger."""
    return st.lists(chains(), min_size=size, max_size=size)


def oracle(
    parts: list[Chain], through: dt.date | None = None, **rules: str
) -> dict[tuple[str, str, str | None], dict[str, Any]]:
    """What the oracle says of each chain by itself, under the ids of the common ledger."""
    return {
        (flag, f"{number}-{contract}", f"{number}-{subcontractor}" if subcontractor else None): one
        for number, part in enumerate(parts)
        for (flag, contract, subcontractor), one in Oracle(dict(part.rows()), AS_OF, through, rules)
        .answers()
        .items()
    }


def by_key(found: list[Assessment]) -> dict[tuple[str, str, str | None], dict[str, Any]]:
    names = ("status", "value", "low", "high", "attributed_to")
    answers = {
        (one.flag, one.contract_id, one.subcontractor_id): {
            name: getattr(one, name) for name in names
        }
        for one in found
    }
    assert len(answers) == len(found), "an agreement was assessed twice"
    return answers


def assess(
    chain: Chain, engine: Any = "pandas", through: dt.date | None = None, **rules: str
) -> list[Assessment]:
    """The three first flags; each of the others has a test of its own."""
    facts = gather(chain.frames(engine), AS_OF, through)
    chosen = rules_as_of(AS_OF).override(rules)
    return [
        found
        for assessor in assessors()
        if assessor.flag.id in ("zero_referrals", "management_fee", "volume_divergence")
        for found in assessor.assess(facts, chosen)
    ]


def answers(
    chain: Chain, engine: Any = "pandas", through: dt.date | None = None, **rules: str
) -> dict[tuple[str, str, str | None], dict[str, Any]]:
    return by_key(assess(chain, engine, through, **rules))


def assert_alike(found: dict[Any, dict[str, Any]], wanted: dict[Any, dict[str, Any]]) -> None:
    assert found.keys() == wanted.keys()
    for key, answer in wanted.items():
        for name, value in answer.items():
            if isinstance(value, float):
                got = found[key][name]
                assert got is not None, (key, name)
                assert math.isclose(got, value, rel_tol=1e-9, abs_tol=1e-9), (key, name)
            else:
                assert found[key][name] == value, (key, name, found[key], answer)


slow = settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
few = settings(slow, max_examples=3)
clumpings = st.sampled_from(
    [
        {},
        {"overdispersion": "1"},
        {"overdispersion": "2.5"},
        {"overdispersion_pairs": "4"},
        {"overdispersion_pairs": "4", "attribution_evidence": "1"},
        {"overdispersion_before": "1"},
    ]
)
TOGETHER = {"overdispersion": "1"}  # without an estimate over all agreements


@slow
@given(ledgers(10), st.sampled_from([None, *MONTHS]), clumpings)
def test_pandas_agrees_with_the_oracle(
    parts: list[Chain], through: dt.date | None, rules: dict[str, str]
) -> None:
    """Twenty ledgers of ten chains: so one chain never changes the answers of another, either."""
    found = answers(together(parts), through=through, **rules)
    assert_alike(found, oracle(parts, through, **rules))


@few
@given(ledgers(8), clumpings)
def test_duckdb_agrees_with_pandas_in_every_field(
    parts: list[Chain], rules: dict[str, str]
) -> None:
    chain = together(parts)
    on_pandas = assess(chain, "pandas", **rules)
    on_duckdb = assess(chain, "duckdb", **rules)
    assert [one.answer() for one in on_duckdb] == [one.answer() for one in on_pandas]
    json.dumps([one.answer() for one in on_duckdb], allow_nan=False)


@few
@given(ledgers(8), st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(parts: list[Chain], shuffler: random.Random) -> None:
    chain = together(parts)
    before = assess(chain)
    for rows in chain.rows().values():
        shuffler.shuffle(rows)
    after = assess(chain)
    assert [one.answer() for one in after] == [one.answer() for one in before]


@few
@given(ledgers(8), st.integers(2, 1000))
def test_scaling_all_money_leaves_the_fee(parts: list[Chain], factor: int) -> None:
    chain = together(parts)
    before = answers(chain)
    for row in chain.payments:
        for name in ("commissioner_amount_pence", "subcontractor_amount_pence"):
            row[name] = None if row[name] is None else row[name] * factor
    assert_alike(answers(chain), before)


def with_others(chain: Chain) -> Chain:
    """The chain with another contract, and another agreement that got what it was promised."""
    first = chain.contracts[0]["contract_id"]
    chain.contract("C9", "P9").agreement("S9", "C9", True, 0.5).agreement("S0", "C9")
    chain.agreement("S8", first, True, 0.5).covers("S8", MONTHS, "payments")
    chain.covers("S9", MONTHS, "referrals").covers("S8", MONTHS, "referrals")
    for month in MONTHS:
        chain.forecast(3, month, "S8", contract_id=first)
        chain.referral("S8", month, "S8", 3, contract_id=first)
    return chain.referral("S9", MONTHS[0], "S9", 5, contract_id="C9")


def only_before(after: dict[Any, Any], before: dict[Any, Any]) -> dict[Any, Any]:
    return {key: one for key, one in after.items() if key in before}


@few
@given(ledgers(8))
def test_another_contract_and_agreement_change_nobody_elses_answer(parts: list[Chain]) -> None:
    chain = together(parts)
    before = answers(chain, **TOGETHER)
    after = answers(with_others(chain), **TOGETHER)
    assert len(after) > len(before)
    assert_alike(only_before(after, before), before)


ESTIMATED = {"overdispersion_pairs": "4"}


def spreads(found: list[Assessment]) -> dict[bool, float]:
    """The clumping reckoned with, of agreements and of whole contracts."""
    return {
        one.subcontractor_id is None: one.evidence["overdispersion"]["value"]
        for one in found
        if one.evidence.get("overdispersion")
    }


@few
@given(chains())
def test_the_estimated_clumping_is_all_that_agreements_share(chain: Chain) -> None:
    """Where it is the same with another agreement as without, nobody else's answer changes."""
    before = assess(chain, **ESTIMATED)
    after = assess(with_others(chain), **ESTIMATED)
    if spreads(after) == spreads(before):
        assert_alike(only_before(by_key(after), by_key(before)), by_key(before))


@few
@given(chains())
def test_auto_answers_as_the_figure_it_names_does(chain: Chain) -> None:
    found = assess(chain, **ESTIMATED)
    for whole, value in spreads(found).items():
        named = by_key(assess(chain, overdispersion=str(value)))
        mine = {key: one for key, one in by_key(found).items() if (key[2] is None) == whole}
        assert_alike({key: named[key] for key in mine}, mine)


@few
@given(ledgers(8))
def test_rows_of_a_reporter_that_is_no_side_change_nothing(parts: list[Chain]) -> None:
    chain = together(parts)
    before = answers(chain)
    stranger = copy.deepcopy(chain)
    for row in chain.referrals[::7] + chain.payments[::7]:
        target = stranger.referrals if "referral_id" in row else stranger.payments
        target.append(row | {"reporter_id": "G"})
    assert_alike(answers(stranger), before)


@few
@given(ledgers(8), st.randoms(use_true_random=False))
def test_splitting_returns_changes_nothing(parts: list[Chain], pick: random.Random) -> None:
    """The same rows in other returns, under other numbers."""
    chain = together(parts)
    before = answers(chain)
    for row in chain.referrals + chain.payments:
        row["return_id"] += pick.choice("ab")
        row["row_number"] = pick.randint(2, 9999)
    assert_alike(answers(chain), before)


@settings(few, max_examples=1)
@given(ledgers(8))
def test_every_answer_has_an_account_and_its_rows(parts: list[Chain]) -> None:
    """Of every flag there is: sentences throughout, and rows of the sides alone."""
    facts = gather(together(parts).frames("duckdb"), AS_OF)
    rules = rules_as_of(AS_OF)
    for assessor in assessors():
        seen: set[str] = set()
        for found in assessor.assess(facts, rules):
            if found.status in seen:
                continue
            seen.add(found.status)
            account = assessor.account(found, facts)
            told = (*account.promise, *account.happened, *account.arithmetic)
            assert all(one.endswith((".", "?")) and one == one.strip() for one in told), told
            rows = assessor.source_rows(found, facts)
            logs = [row for row in rows if row.table in ("referrals", "payments")]
            assert {row.reporter_id for row in logs} <= {found.prime_id, found.subcontractor_id}


def test_the_chains_reach_every_status() -> None:
    """The generated chains are no good if some answer never comes up."""
    seen: set[tuple[str, str]] = set()
    whose: set[tuple[str, str]] = set()

    @settings(slow, max_examples=200, derandomize=True, database=None)
    @given(chains())
    def look(chain: Chain) -> None:
        for (flag, _, _), answer in Oracle(dict(chain.rows()), AS_OF).answers().items():
            seen.add((flag, answer["status"]))
            if answer["attributed_to"]:
                whose.add((flag, answer["attributed_to"]))

    look()
    for flag, never in (
        ("zero_referrals", {"watch"}),
        ("management_fee", {"too_early"}),
        ("volume_divergence", set()),
    ):
        statuses = {"raised", "watch", "clear", "too_early", "not_reported", "not_applicable"}
        assert {status for name, status in seen if name == flag} >= statuses - never
    assert whose >= {("zero_referrals", "prime"), ("volume_divergence", "prime")}
    assert ("volume_divergence", "commissioner") in whose
