"""Whatever the chain, the flag `client_mix` and the plain-loop oracle say the same."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.facts import gather
from metrics.flags.client_mix import assess
from metrics.rules import rules_as_of
from tests.generative.test_flags import assert_alike
from tests.oracle.chain import Chain, months
from tests.oracle.client_mix_oracle import Oracle

if TYPE_CHECKING:
    from metrics.definition import Assessment

MONTHS = months("2011-06", 8)
GROUPS = ("ESA", "JSA 18-24", "JSA 25+")
AS_OF = dt.date(2012, 1, 15)


@st.composite
def chains(draw: st.DrawFn, most: int = 20) -> tuple[list[Chain], dict[str, str]]:
    """Up to `most` chains with nothing in common, and the rules to ask with.

    The product takes them all in one ledger, the oracle one by one: so that one never changes
    another's answer, and a question of twenty costs little more than one.
    """
    rules = {
        "overdispersion": draw(st.sampled_from(["auto", "auto", "1", "1", "2", "1.7", "3.25"])),
        "overdispersion_pairs": draw(st.sampled_from(["2", "30"])),
        "client_mix_difference": draw(st.sampled_from(["0.20", "0", "0.5"])),
        "client_mix": draw(st.sampled_from(["0.001", "0.001", "0.05", "1"])),
    }
    seeds = draw(st.lists(st.integers(0, 2**32), min_size=most, max_size=most))
    chains = [one_chain(random.Random(seed), f"-{n}") for n, seed in enumerate(seeds)]  # noqa: S311
    return chains, rules


def one_chain(pick: random.Random, tag: str) -> Chain:
    """One or two contracts with up to four subcontractors; ids end with the tag.

    Each subcontractor leans towards a group, more or less, and so does each month.
    """
    lean, size = pick.choice([0, 1, 4, 30]), pick.choice([1, 5, 40])
    subcontractors = [f"S0{tag}", f"S1{tag}", f"S2{tag}", f"P0{tag}"]
    chain = Chain()
    for c in range(pick.randint(1, 2)):
        contract_id, prime = f"C{c}{tag}", pick.choice([f"P0{tag}", f"P1{tag}"])
        chain.contract(contract_id, prime, "2011-06-10", pick.choice([None, None, "2011-09-30"]))
        chain.contracts[-1]["programme"] = f"Programme{tag}"
        chosen = pick.sample(subcontractors, pick.randint(1, 4))
        for subcontractor in chosen:
            chain.agreement(
                subcontractor,
                contract_id,
                promised_share=pick.choice([None, 0.05, 0.3]),
                live_on=pick.choice([None, None, "2011-07-31", "2013-01-01"]),
                ends_on=pick.choice([None, None, "2011-12-31", "2011-08-01"]),
            )
            for group in pick.sample(GROUPS, pick.choice([0, 1, 2, 3, 3])):
                chain.price(group, subcontractor, contract_id)
            if pick.random() < 0.3:
                named = pick.choice([None, *GROUPS])
                chain.forecast(
                    3, pick.choice(MONTHS), subcontractor, named, contract_id=contract_id
                )
        common, month_lean = pick.choice(GROUPS), pick.choice([0, 0, 8])
        alone = pick.random() < 0.1
        for subcontractor in sorted({*chosen, *([] if alone else [prime, f"S9{tag}"])}):
            favourite = pick.choice(GROUPS)
            groups = GROUPS if pick.random() < 0.9 else GROUPS[:1]
            for place, month in enumerate(MONTHS):
                weights = [
                    1
                    + lean * (g == favourite)
                    + 3 * (g == common)
                    + month_lean * (g == GROUPS[place * 3 // 8])
                    for g in groups
                ]
                for by in sorted({subcontractor, prime, f"G{tag}"}):
                    for group in pick.choices(groups, weights, k=pick.randint(0, 2)):
                        count = pick.randint(1, size)
                        chain.referral(by, month, subcontractor, count, group, contract_id)
    for reporter in (f"P0{tag}", f"P1{tag}", *subcontractors[:2], f"G{tag}"):
        share = pick.choice([0.0, 0.7, 1.0, 1.0])
        covered = [month for month in MONTHS if pick.random() < share]
        chain.covers(reporter, covered, "referrals")
        chain.referrals = [
            row
            for row in chain.referrals
            if row["reporter_id"] != reporter or row["month"] in covered
        ]
    return chain


def together(parts: list[Chain]) -> Chain:
    """The chains in one ledger."""
    whole = Chain()
    for part in parts:
        for table, rows in part.rows().items():
            getattr(whole, table).extend(rows)
    return whole


def oracle(
    parts: list[Chain], rules: dict[str, str], through: dt.date | None = None
) -> dict[tuple[str, str], dict[str, Any]]:
    answers: dict[tuple[str, str], dict[str, Any]] = {}
    for part in parts:
        answers |= Oracle(dict(part.rows()), AS_OF, through, rules).answers()
    return answers


def assessed(
    chain: Chain, rules: dict[str, str], engine: Any = "pandas", through: dt.date | None = None
) -> list[Assessment]:
    chosen = rules_as_of(AS_OF).override(rules)
    found = assess(gather(chain.frames(engine), AS_OF, through), chosen)
    json.dumps([one.answer() for one in found], allow_nan=False)
    return found


def by_key(found: list[Assessment]) -> dict[tuple[str, str | None], dict[str, Any]]:
    names = ("status", "value", "low", "high", "attributed_to")
    return {
        (one.contract_id, one.subcontractor_id): {name: getattr(one, name) for name in names}
        for one in found
    }


ten = settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
two = settings(ten, max_examples=2)
Drawn = tuple[list[Chain], dict[str, str]]


@ten
@given(chains(), st.sampled_from([None, None, *MONTHS]))
def test_pandas_agrees_with_the_oracle(drawn: Drawn, through: dt.date | None) -> None:
    """Two hundred chains in ten ledgers."""
    parts, rules = drawn
    found = assessed(together(parts), rules, through=through)
    assert_alike(by_key(found), oracle(parts, rules, through))


@two
@given(chains())
def test_duckdb_agrees_with_pandas_in_every_field(drawn: Drawn) -> None:
    parts, rules = drawn
    chain = together(parts)
    on_pandas, on_duckdb = (assessed(chain, rules, engine) for engine in ("pandas", "duckdb"))
    assert [one.answer() for one in on_duckdb] == [one.answer() for one in on_pandas]


@two
@given(chains(), st.integers(0, 2**32))
def test_the_order_of_rows_and_how_clients_are_spread_over_them_mean_nothing(
    drawn: Drawn, shuffle_seed: int
) -> None:
    parts, rules = drawn
    chain = together(parts)
    before = assessed(chain, rules)
    chain.referrals = [
        row | {"referral_count": 1} for row in chain.referrals for _ in range(row["referral_count"])
    ]
    shuffler = random.Random(shuffle_seed)  # noqa: S311
    for rows in chain.rows().values():
        shuffler.shuffle(rows)
    assert [one.answer() for one in assessed(chain, rules)] == [one.answer() for one in before]


@two
@given(chains())
def test_rows_of_others_than_the_prime_and_further_agreements_change_nothing(drawn: Drawn) -> None:
    """With a clumping that is given: an estimate rests on all agreements of a programme."""
    parts, rules = drawn
    rules = rules | {"overdispersion": "2"}
    chain = together(parts)
    before = by_key(assessed(chain, rules))
    primes = {row["contract_id"]: row["prime_id"] for row in chain.contracts}
    for row in list(chain.referrals):
        for by in ("G", row["subcontractor_id"]):
            if by != primes[row["contract_id"]]:
                chain.referrals.append(row | {"reporter_id": by})
    first = chain.contracts[0]["contract_id"]
    chain.contract("C9", "P9").agreement("S9", "C9").covers("P9", MONTHS, "referrals")
    chain.referral("P9", MONTHS[0], "S9", 5, "ESA", "C9")
    chain.agreement("S8", first).price("ESA", "S8", first)
    after = by_key(assessed(chain, rules))
    assert {key: one for key, one in after.items() if key in before} == before


def test_the_chains_reach_every_status() -> None:
    """The generated chains are no good if some answer never comes up."""
    seen: set[str] = set()

    @settings(ten, derandomize=True, database=None)
    @given(chains())
    def look(drawn: Drawn) -> None:
        seen.update(answer["status"] for answer in oracle(*drawn).values())

    look()
    assert seen == {"raised", "watch", "clear", "too_early", "not_reported", "not_applicable"}
