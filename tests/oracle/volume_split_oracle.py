"""Whose failure it is, again, in loops over plain rows; nothing of the product is used here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle.flags_oracle import Oracle, window

if TYPE_CHECKING:
    import datetime as dt

Row = dict[str, Any]


def version_rows(
    oracle: Oracle, contract_id: str, subcontractor: str | None, month: dt.date
) -> list[Row]:
    """The rows of the forecast in force for a month."""
    mine = [
        row
        for row in oracle.rows["forecasts"]
        if (row["contract_id"], row["subcontractor_id"], row["month"])
        == (contract_id, subcontractor, month)
    ]
    days = {row["issued_on"] for row in mine}
    in_time = {day for day in days if day <= month}
    if not mine:
        return []
    day = max(in_time) if in_time else min(days)
    first = min((row["issuer_rank"], row["reporter_id"]) for row in mine if row["issued_on"] == day)
    return [
        row
        for row in mine
        if row["issued_on"] == day and (row["issuer_rank"], row["reporter_id"]) == first
    ]


def split(oracle: Oracle, contract: Row, agreement: Row) -> Row | None:
    """Observed, forecast, volume and allocation effect; None where it cannot be worked out."""
    contract_id, prime = contract["contract_id"], contract["prime_id"]
    subcontractor = agreement["subcontractor_id"]
    starts = agreement["live_on"] or contract["starts_on"]
    ends = [contract["ends_on"], agreement["ends_on"]]
    sums: dict[str, dict[str, int]] = {
        "observed": {},
        "forecast": {},
        "intake": {},
        "forecast_intake": {},
    }
    months = 0

    def add(part: str, group: str | None, number: int) -> None:
        sums[part][group or ""] = sums[part].get(group or "", 0) + number

    for month in window(starts, ends, oracle.as_of, oracle.through):
        promised = version_rows(oracle, contract_id, subcontractor, month)
        whole = version_rows(oracle, contract_id, None, month)
        if ("referrals", prime, month) not in oracle.covered or not promised or not whole:
            continue
        months += 1
        by_sub = ("referrals", subcontractor, month) in oracle.covered
        for row in promised:
            add("forecast", row["client_group"], row["referral_count"])
        for row in whole:
            add("forecast_intake", row["client_group"], row["referral_count"])
        for row in oracle.rows["referrals"]:
            if row["contract_id"] != contract_id or row["month"] != month:
                continue
            if row["reporter_id"] == prime:
                add("intake", row["client_group"], row["referral_count"])
            side = subcontractor if by_sub else prime
            if row["reporter_id"] == side and row["subcontractor_id"] == subcontractor:
                add("observed", row["client_group"], row["referral_count"])
    if not months:
        return None
    if "" in sums["forecast"] or "" in sums["forecast_intake"]:
        served = oracle.groups(contract_id, subcontractor)
        among = served if "" not in sums["forecast_intake"] else set()
        sums = {
            part: {
                "": sum(
                    number
                    for group, number in table.items()
                    if part in ("observed", "forecast") or not among or group in among
                )
            }
            for part, table in sums.items()
        }
    groups = {*sums["forecast"], *sums["observed"]}
    volume = allocation = 0.0
    for group in groups:
        forecast, intake = sums["forecast"].get(group, 0), sums["intake"].get(group, 0)
        of_whole = sums["forecast_intake"].get(group, 0)
        if forecast and not of_whole:
            return None
        if forecast and not intake and sums["observed"].get(group, 0):
            return None
        of_intake = forecast * intake / of_whole if forecast else 0.0
        volume += of_intake - forecast
        allocation += sums["observed"].get(group, 0) - of_intake
    forecast = sum(sums["forecast"].values())
    if not forecast:
        return None
    return {
        "months": months,
        "observed": sum(sums["observed"].values()),
        "forecast": forecast,
        "volume_effect": volume,
        "allocation_effect": allocation,
    }
