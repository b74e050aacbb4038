"""Whatever the chain, the figures without judgement and the plain-loop oracle say the same."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.concentration import concentration
from metrics.conversion import conversion
from metrics.facts import gather
from metrics.spend_by_sector import spend_by_contract, spend_by_programme
from tests.oracle.chain import Chain, months
from tests.oracle.contract_figures_oracle import Figures

if TYPE_CHECKING:
    from metrics.spend_by_sector import Spend

MONTHS = months("2011-06", 16)
GROUPS = ("ESA", "JSA 25+")
AS_OF = dt.date(2012, 9, 15)
KINDS = ("attachment_fee", "job_outcome", "job_outcome", "sustainment", "adjustment")


def one_chain(pick: random.Random, tag: str) -> Chain:
    """One or two contracts with up to three subcontractors, with marks of clients here and there.

    Ids end with the tag.
    """
    chain = Chain()
    marks = [None, *(f"h{n}" for n in range(4))]
    primes, subcontractors = [f"P0{tag}", f"P1{tag}"], [f"S0{tag}", f"S1{tag}", f"P0{tag}"]
    for one in subcontractors[: pick.randint(0, 3)]:
        chain.organisation(one, one)
        chain.organisations[-1]["sector"] = pick.choice(["voluntary", "private", "public"])
    reach = pick.choice([0.3, 0.9, 1.0])
    for reporter in (*primes, *subcontractors[:2], f"S9{tag}", f"G{tag}"):
        for table in ("referrals", "payments"):
            share = pick.choice([0.0, reach, reach, reach])
            chain.covers(reporter, [m for m in MONTHS if pick.random() < share], table)  # type: ignore[arg-type]
    covered = {(row["table"], row["reporter_id"], row["month"]) for row in chain.coverage}
    for c in range(pick.randint(1, 2)):
        contract_id, prime = f"C{c}{tag}", pick.choice(primes)
        chain.contract(contract_id, prime, "2011-06-10", pick.choice([None, None, "2012-07-30"]))
        chain.contracts[-1]["programme"] = f"{pick.choice('AB')}{tag}"
        chosen = pick.sample(subcontractors, pick.randint(0, 3))
        for subcontractor in chosen:
            chain.agreement(
                subcontractor,
                contract_id,
                live_on=pick.choice([None, None, "2011-07-31", "2013-01-01"]),
                ends_on=pick.choice([None, None, "2012-08-31", "2011-08-01"]),
            )
        for subcontractor in sorted({*chosen, prime, f"S9{tag}"}):
            for by in sorted({subcontractor, prime, f"G{tag}"}):
                for month in MONTHS:
                    if ("referrals", by, month) in covered and pick.random() < 0.5:
                        chain.referral(
                            by,
                            month,
                            subcontractor,
                            pick.choice([1, 1, 1, 7]),
                            pick.choice(GROUPS),
                            contract_id,
                            client_hash=pick.choice(marks),
                            started_on=pick.choice([None, month.replace(day=20)]),
                        )
                    if ("payments", by, month) in covered and pick.random() < 0.5:
                        chain.payment(
                            by,
                            month,
                            1000,
                            pick.choice([850, 0, -900, 1200]),
                            True,
                            subcontractor,
                            pick.choice([None, *GROUPS]),
                            contract_id,
                            payment_type=pick.choice(KINDS),
                            client_hash=pick.choice(marks),
                        )
    return chain


@st.composite
def chains(draw: st.DrawFn, most: int = 20) -> tuple[Chain, list[Chain]]:
    """Chains with nothing in common, in one ledger and one by one."""
    seeds = draw(st.lists(st.integers(0, 2**32), min_size=most, max_size=most))
    parts = [one_chain(random.Random(seed), f"-{n}") for n, seed in enumerate(seeds)]  # noqa: S311
    whole = Chain()
    for part in parts:
        for table, rows in part.rows().items():
            getattr(whole, table).extend(rows)
    return whole, parts


def spent(found: dict[str, Spend]) -> dict[str, Any]:
    return {
        whole: (
            spend.payable_pence,
            spend.subcontractor_count,
            {
                one.sector: (one.payable_pence, one.subcontractor_count, one.share)
                for one in spend.sectors
            },
        )
        for whole, spend in found.items()
    }


ten = settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_both_engines_agree_with_the_oracle(engine: Any) -> None:
    """Two hundred chains in ten ledgers on pandas, forty in two on DuckDB."""

    @settings(ten, max_examples=10 if engine == "pandas" else 2)
    @given(chains(), st.integers(0, 2**32))
    def look(drawn: tuple[Chain, list[Chain]], shuffle_seed: int) -> None:
        whole, parts = drawn
        shuffler = random.Random(shuffle_seed)  # noqa: S311
        for rows in whole.rows().values():
            shuffler.shuffle(rows)
        facts = gather(whole.frames(engine), AS_OF)
        wanted = [Figures(dict(part.rows()), AS_OF) for part in parts]
        for by, found in (
            ("contract_id", spend_by_contract(facts)),
            ("programme", spend_by_programme(facts)),
        ):
            assert spent(dict(found)) == {k: v for one in wanted for k, v in one.spend(by).items()}
        shares = {
            key: (
                one.month_count,
                one.referral_count,
                one.in_house_count,
                [(sub.subcontractor_id, sub.referral_count) for sub in one.subcontractors],
                pytest.approx(one.index) if one.index is not None else None,
            )
            for key, one in concentration(facts).items()
        }
        assert shares == {k: v for one in wanted for k, v in one.concentration().items()}
        converted = {
            key: {name: list(astuple(group)) for name, group in one.groups}
            for key, one in conversion(facts).items()
        }
        assert converted == {k: v for one in wanted for k, v in one.conversion().items()}

    look()


def test_the_chains_reach_every_figure() -> None:
    """The generated chains are no good if some count never comes up."""
    sums = [0] * 10
    for seed in range(60):
        figures = Figures(dict(one_chain(random.Random(seed), "").rows()), AS_OF)  # noqa: S311
        for groups in figures.conversion().values():
            for line in groups.values():
                sums = [a + b for a, b in zip(sums, line, strict=True)]
    assert all(sums)
