"""Whatever the chain, the split of a divergence is that of the plain-loop oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from metrics.facts import gather
from metrics.volume_split import volume_splits
from tests.generative.test_flags import AS_OF, ledgers, slow, together
from tests.oracle.flags_oracle import Oracle
from tests.oracle.volume_split_oracle import split

if TYPE_CHECKING:
    from tests.oracle.chain import Chain


def compared(parts: list[Chain], engine: Any) -> int:
    """How many splits there are, all as the oracle has them of each chain by itself."""
    found = volume_splits(gather(together(parts).frames(engine), AS_OF))
    wanted = {}
    for number, part in enumerate(parts):
        one = Oracle(dict(part.rows()), AS_OF)
        contracts = {row["contract_id"]: row for row in part.contracts}
        for agreement in part.agreements:
            ids = agreement["contract_id"], agreement["subcontractor_id"]
            answer = split(one, contracts[ids[0]], agreement)
            if answer is not None:
                wanted[f"{number}-{ids[0]}", f"{number}-{ids[1]}"] = answer
    assert found.keys() == wanted.keys()
    for key, answer in wanted.items():
        told = found[key].evidence()
        assert {name: told[name] for name in answer} == pytest.approx(answer)
        assert told["forecast"] + told["volume_effect"] + told[
            "allocation_effect"
        ] == pytest.approx(told["observed"])
    return len(wanted)


@settings(slow, max_examples=10)
@given(ledgers(20))
def test_pandas_agrees_with_the_oracle(parts: list[Chain]) -> None:
    compared(parts, "pandas")


@settings(slow, max_examples=2)
@given(ledgers(20))
def test_duckdb_agrees_with_the_oracle(parts: list[Chain]) -> None:
    compared(parts, "duckdb")


def test_the_chains_have_splits() -> None:
    seen = []

    @settings(slow, max_examples=2, derandomize=True, database=None)
    @given(ledgers(20))
    def look(parts: list[Chain]) -> None:
        seen.append(compared(parts, "pandas"))

    look()
    assert sum(seen) >= 20
