"""Every flag assessed for every agreement and contract, and the months behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.catalogue import assessors
from metrics.expected_referrals import forecasts_in_force
from metrics.facts import gather
from metrics.frames import records
from metrics.management_fee import matched_events, summed
from metrics.referral_months import referral_months
from metrics.window import (
    AGREEMENT,
    WHOLE_CONTRACT,
    assessed,
    covered_months,
    day_of,
    first_day,
    last_month,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    import pandas as pd

    from metrics.definition import Assessment
    from metrics.facts import Facts
    from metrics.frames import Frames
    from metrics.rules import Rules


def assess(
    frames: Frames, as_of: dt.date, through: dt.date | None, rules: Rules
) -> list[Assessment]:
    """Every flag for every agreement (and contract, where the flag speaks of contracts).

    `frames` hold what was known on the as-of day; `through` (any day of a month) ends the window
    earlier. Ordered by flag, contract and subcontractor, the whole contract first.
    """
    return assess_facts(gather(frames, as_of, through), rules)


def assess_facts(facts: Facts, rules: Rules) -> list[Assessment]:
    """The same from facts already gathered, so that several sets of rules share them."""
    return [found for assessor in assessors() for found in assessor.assess(facts, rules)]


def agreement_months(
    frames: Frames,
    as_of: dt.date,
    through: dt.date | None = None,
    contract_id: str | None = None,
) -> pd.DataFrame:
    """Referrals by month, for charts: one row per agreement (or contract) and month.

    Months: all of the window, and any other that a return covers or a forecast names. Columns
    contract_id, subcontractor_id (null: the whole contract), month (first day), in_window,
    reported, side ("subcontractor" or "prime": whose count is `observed`), observed_sub,
    observed_prime (null where that side has not reported), observed (null where neither has),
    intake (null where the prime has not reported), and expected, issued_on and issued_by of the
    forecast in force (null without one). Give a contract to ask for its months only.
    """
    chosen = frames if contract_id is None else frames.of_contracts([contract_id])
    rows = assessed(chosen, last_month(as_of, through))
    covered = _by_month(referral_months(chosen, rows))
    forecasts = _by_month(forecasts_in_force(chosen))
    table = []
    for key, months, window in _calendar(rows, covered, forecasts):
        for month in months:
            reported = covered.get((*key, month), {})
            forecast = forecasts.get((*key, month), {})
            by_sub, by_prime = reported.get("sub_covered"), reported.get("prime_covered")
            observed_sub = reported["observed_sub"] if by_sub else None
            observed_prime = reported["observed_prime"] if by_prime else None
            issued = forecast.get("issued")
            table.append(
                {
                    "contract_id": key[0],
                    "subcontractor_id": key[1] or None,
                    "month": first_day(month),
                    "in_window": month in window,
                    "reported": bool(reported),
                    "side": "subcontractor" if by_sub else "prime" if by_prime else None,
                    "observed_sub": observed_sub,
                    "observed_prime": observed_prime,
                    "observed": observed_sub if by_sub else observed_prime,
                    "intake": reported["intake"] if by_prime else None,
                    "expected": forecast.get("expected"),
                    "issued_on": day_of(issued) if issued else None,
                    "issued_by": forecast.get("issuer_id"),
                }
            )
    return _table(table, _REFERRAL_COLUMNS)


def payment_months(
    frames: Frames,
    as_of: dt.date,
    through: dt.date | None = None,
    contract_id: str | None = None,
) -> pd.DataFrame:
    """Matched payments by month, for charts: one row per agreement and month of its window.

    Columns contract_id, subcontractor_id, month (first day), reported (the prime's payments
    returns cover it), side ("subcontractor" or "prime": whose word `paid_pence` is), and
    received_pence, payable_pence and paid_pence (null in months not reported). Give a contract to
    ask for its months only.
    """
    chosen = frames if contract_id is None else frames.of_contracts([contract_id])
    rows = assessed(chosen, last_month(as_of, through)).filter(
        nw.col("subcontractor_id") != WHOLE_CONTRACT
    )
    months = covered_months(chosen, rows, "payments")
    covered = _by_month(months.filter(nw.col("prime_covered") == 1))
    sums = _by_month(summed(matched_events(chosen, months), *AGREEMENT, "month"))
    table = []
    for key, _, window in _calendar(rows):
        for month in window:
            reported = covered.get((*key, month))
            row = {
                "contract_id": key[0],
                "subcontractor_id": key[1],
                "month": first_day(month),
                "reported": reported is not None,
                "side": None,
            }
            if reported is not None:
                found = sums.get((*key, month), {})
                row["side"] = "subcontractor" if reported["sub_covered"] else "prime"
                row |= {name: found.get(name, 0) for name in _PENCE}
            table.append(row)
    return _table(table, _PAYMENT_COLUMNS)


_REFERRAL_COLUMNS = {
    "contract_id": "string",
    "subcontractor_id": "string",
    "month": "datetime64[s]",
    "in_window": "bool",
    "reported": "bool",
    "side": "string",
    "observed_sub": "Int64",
    "observed_prime": "Int64",
    "observed": "Int64",
    "intake": "Int64",
    "expected": "Int64",
    "issued_on": "datetime64[s]",
    "issued_by": "string",
}
_PENCE = ("received_pence", "payable_pence", "paid_pence")
_PAYMENT_COLUMNS = {
    "contract_id": "string",
    "subcontractor_id": "string",
    "month": "datetime64[s]",
    "reported": "bool",
    "side": "string",
    **dict.fromkeys(_PENCE, "Int64"),
}


def _by_month(frame: nw.LazyFrame[Any]) -> dict[tuple[str, str, int], dict[str, Any]]:
    return {
        (row["contract_id"], row["subcontractor_id"], row["month"]): row for row in records(frame)
    }


def _calendar(
    rows: nw.LazyFrame[Any], *found: dict[tuple[str, str, int], dict[str, Any]]
) -> Iterator[tuple[tuple[str, str], list[int], range]]:
    """Each agreement or contract with all its months in order, and those of its window."""
    others: dict[tuple[str, str], set[int]] = {}
    for contract_id, subcontractor_id, month in (key for keys in found for key in keys):
        others.setdefault((contract_id, subcontractor_id), set()).add(month)
    for row in sorted(records(rows), key=lambda r: (r["contract_id"], r["subcontractor_id"])):
        key = row["contract_id"], row["subcontractor_id"]
        first = row["first_month"]
        window = range(0) if first is None else range(first, row["last_month"] + 1)
        yield key, sorted(others.get(key, set()) | set(window)), window


def _table(rows: list[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415  (half a second that `fairtier flags` does not need)

    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
