"""Whose failure: what of a divergence came with the volume, and what by the allocation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.expected_referrals import forecasts_in_force_by_group
from metrics.frames import records
from metrics.intake import groups_served, prime_counts
from metrics.observed_referrals import reported_rows
from metrics.window import AGREEMENT, WHOLE_CONTRACT, covered_months, in_window
from metrics.wording import count, figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metrics.facts import Facts

METRIC = Metric(
    id="volume_split",
    title="Whose doing a divergence is",
    question="How much of the difference from the forecast came with the commissioner's volume, "
    "and how much by the prime's allocation?",
    why_it_matters="A prime cannot share out clients who never came, and a commissioner does not "
    "choose among subcontractors. Testing against the forecast alone accuses innocent primes.",
    numerator="By client group: the forecast times (the prime's intake over its forecast), less "
    "the forecast, is what the volume did; the referrals received less that product is what the "
    "allocation did.",
    denominator="none",
    unit="referrals; the two factors multiply to received over forecast",
    grain="agreement; agreement and client group where all forecasts name groups",
    direction="no judgement: both factors are shown, and neither blames by itself",
    exclusions=(
        "Months that the prime has not reported, or that either forecast does not name.",
        "Agreements whose clients the contract's forecast does not name, or who came although the "
        "prime reports none of them.",
    ),
    assumptions=(
        "The share promised is the agreement's forecast over the contract's, for the same months.",
        "Where a forecast names no client groups, all the clients served are taken together.",
    ),
    source="O/E = (intake / forecast intake) x (share received / share promised)",
    version=1,
)

ALL_GROUPS = ""


@dataclass(frozen=True)
class GroupSplit:
    """One client group (`ALL_GROUPS`: all together): four counts over the same months."""

    client_group: str
    observed: int
    forecast: int
    intake: int
    forecast_intake: int

    @property
    def expected_of_intake(self) -> float:
        """What the promised share of the intake that came would have been."""
        if not self.forecast:
            return 0.0
        return self.forecast * self.intake / self.forecast_intake

    @property
    def volume_effect(self) -> float:
        """Referrals more (fewer, below 0) than forecast because of the volume."""
        return self.expected_of_intake - self.forecast

    @property
    def allocation_effect(self) -> float:
        """Referrals more (fewer, below 0) than the promised share of what came."""
        return self.observed - self.expected_of_intake


@dataclass(frozen=True)
class VolumeSplit:
    """The split of one agreement, over the months that can be split."""

    month_count: int
    groups: tuple[GroupSplit, ...]

    def _total(self, name: str) -> Any:
        return sum(getattr(group, name) for group in self.groups)

    def evidence(self) -> dict[str, Any]:
        """The split as JSON, with the sentence that says it."""
        observed, forecast = self._total("observed"), self._total("forecast")
        of_intake = self._total("expected_of_intake")
        return {
            "months": self.month_count,
            "observed": observed,
            "forecast": forecast,
            "intake": self._total("intake"),
            "forecast_intake": self._total("forecast_intake"),
            "volume_factor": of_intake / forecast,
            "allocation_factor": observed / of_intake if of_intake else None,
            "volume_effect": self._total("volume_effect"),
            "allocation_effect": self._total("allocation_effect"),
            "by_client_group": [
                {
                    "client_group": group.client_group or None,
                    "observed": group.observed,
                    "forecast": group.forecast,
                    "intake": group.intake,
                    "forecast_intake": group.forecast_intake,
                    "volume_effect": group.volume_effect,
                    "allocation_effect": group.allocation_effect,
                }
                for group in self.groups
            ],
            "sentence": (
                f"Of {count(forecast, 'referral')} forecast for "
                f"{count(self.month_count, 'month')}, the commissioner's volume accounts for "
                f"{_more(self._total('volume_effect'))} and the prime's allocation for "
                f"{_more(self._total('allocation_effect'))}: {figure(observed)} came."
            ),
        }


def _more(effect: float) -> str:
    size = round(abs(effect), 1)
    if not size:
        return "none more or fewer"
    return f"{figure(size)} {'fewer' if effect < 0 else 'more'}"


def volume_splits(facts: Facts) -> Mapping[tuple[str, str], VolumeSplit]:
    """The split of every agreement that can be split, by contract and subcontractor."""
    frames = facts.frames
    of_month = [*AGREEMENT, "month"]
    forecasts = forecasts_in_force_by_group(frames)
    whole = forecasts.filter(nw.col("subcontractor_id") == WHOLE_CONTRACT).select(
        "contract_id", "month", "client_group", forecast_intake=nw.col("expected")
    )
    promised = forecasts.filter(nw.col("subcontractor_id") != WHOLE_CONTRACT)
    rows = facts.rows.filter(nw.col("subcontractor_id") != WHOLE_CONTRACT)
    months = (
        covered_months(frames, rows, "referrals")
        .filter(in_window() & (nw.col("prime_covered") == 1))
        .join(promised.select(*of_month).unique(), on=of_month, how="inner")
        .join(whole.select("contract_id", "month").unique(), on=["contract_id", "month"])
        .select(*of_month, "sub_covered")
    )
    reported = reported_rows(frames)
    observed = (
        reported.join(months, on=of_month, how="inner")
        .filter(
            ((nw.col("sub_covered") == 1) & (nw.col("reporter_id") == nw.col("subcontractor_id")))
            | ((nw.col("sub_covered") == 0) & (nw.col("reporter_id") == nw.col("prime_id")))
        )
        .select(*of_month, "client_group", number=nw.col("referral_count"))
    )
    of_contract = ["contract_id", "month"]
    parts = {
        "observed": observed,
        "forecast": promised.join(months, on=of_month).select(
            *AGREEMENT, "client_group", number=nw.col("expected")
        ),
        "forecast_intake": months.join(whole, on=of_contract).select(
            *AGREEMENT, "client_group", number=nw.col("forecast_intake")
        ),
        "intake": months.join(prime_counts(reported), on=of_contract).select(
            *AGREEMENT, "client_group", number=nw.col("referral_count")
        ),
    }
    sums = {name: _by_agreement(frame) for name, frame in parts.items()}
    served: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in records(groups_served(frames)):
        served[row["contract_id"], row["subcontractor_id"]].add(row["client_group"])
    month_counts = {
        (row["contract_id"], row["subcontractor_id"]): row["months"]
        for row in records(months.group_by(*AGREEMENT).agg(nw.len().alias("months")))
    }
    found = {}
    for key, month_count in month_counts.items():
        mine = {name: table.get(key, {}) for name, table in sums.items()}
        groups = _groups(mine, served.get(key, set()))
        if groups:
            found[key] = VolumeSplit(int(month_count), groups)
    return found


def _by_agreement(frame: nw.LazyFrame[Any]) -> dict[tuple[str, str], dict[str, int]]:
    summed = (
        frame.group_by(*AGREEMENT, "client_group")
        .agg(nw.col("number").sum())
        .with_columns(nw.col("number").cast(nw.Int64))
    )
    table: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in records(summed):
        table[row["contract_id"], row["subcontractor_id"]][row["client_group"]] = row["number"]
    return table


def _groups(sums: Mapping[str, Mapping[str, int]], served: set[str]) -> tuple[GroupSplit, ...]:
    """The client groups of a split; none where it cannot be worked out."""
    named = ALL_GROUPS not in sums["forecast"] and ALL_GROUPS not in sums["forecast_intake"]
    if named:
        names = sorted({*sums["forecast"], *sums["observed"]})
        groups = tuple(
            GroupSplit(
                name,
                *(
                    sums[part].get(name, 0)
                    for part in ("observed", "forecast", "intake", "forecast_intake")
                ),
            )
            for name in names
        )
    else:
        whole_named = ALL_GROUPS not in sums["forecast_intake"]

        def total(part: str, among: set[str]) -> int:
            return sum(n for name, n in sums[part].items() if not among or name in among)

        # A contract's forecast that names no groups is of all clients: so is the intake beside it.
        among = served if whole_named else set()
        groups = (
            GroupSplit(
                ALL_GROUPS,
                total("observed", set()),
                total("forecast", set()),
                total("intake", among),
                total("forecast_intake", among),
            ),
        )
    workable = all(
        not group.forecast or (group.forecast_intake and (group.intake or not group.observed))
        for group in groups
    )
    return groups if workable and any(group.forecast for group in groups) else ()
