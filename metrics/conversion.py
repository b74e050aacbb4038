"""What becomes of referrals: starts, job outcomes and sustainments, by client group."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.frames import records
from metrics.window import AGREEMENT, WHOLE_CONTRACT, in_window, month_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metrics.facts import Facts
    from metrics.frames import Frames

METRIC = Metric(
    id="conversion",
    title="Conversion and sustainment",
    question="How many referrals lead to a start, how many starts to a job outcome, and how long "
    "do outcomes last?",
    why_it_matters="Under payment by results an organisation lives on outcomes. Rates differ by "
    "client group far more than by organisation, so they are shown by group.",
    numerator="Referrals with a start day; job outcomes; sustainments.",
    denominator="Referrals; starts; job outcomes. Nothing to divide by: no rate, which is not 0.",
    unit="share of referrals; job outcomes for each start; sustainments for each job outcome",
    grain="contract and client group; agreement and client group",
    direction="no judgement",
    exclusions=(
        "Months that neither side has reported.",
        "Among clients of at least 12 months: those whose reporter does not cover every month of "
        "payments since, and referrals without a mark of the client.",
    ),
    assumptions=(
        "Referrals and payments are the subcontractor's word in months it has reported, else the "
        "prime's.",
        "Recent clients have had no time yet, so the rates of all clients understate what comes: "
        "the rates of clients referred at least 12 months before the end are given beside them.",
        "A client is followed by the mark that one reporter gives it, in that reporter's rows. "
        "One who was sent to several subcontractors counts with each.",
        "A row without a start day is a client who has not started.",
    ),
    source="Data standard, version 1: referrals and payments",
    version=1,
)

OLD_ENOUGH_MONTHS = 12
NO_GROUP = ""
_EVENTS = ("attachment_fee", "job_outcome", "sustainment")


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True)
class GroupConversion:
    """Counts of one client group (`NO_GROUP`: payments that name none), or of all of them.

    Of clients with a mark: `client_count` all, `outcome_client_count` those with a job outcome;
    `old_..._count` the same and the started among clients referred at least 12 months before the
    end and followed since.
    """

    referral_count: int = 0
    start_count: int = 0
    attachment_count: int = 0
    job_outcome_count: int = 0
    sustainment_count: int = 0
    client_count: int = 0
    outcome_client_count: int = 0
    old_client_count: int = 0
    old_started_client_count: int = 0
    old_outcome_client_count: int = 0

    @property
    def start_rate(self) -> float | None:
        """Starts for each referral."""
        return _rate(self.start_count, self.referral_count)

    @property
    def outcome_rate(self) -> float | None:
        """Job outcomes for each start."""
        return _rate(self.job_outcome_count, self.start_count)

    @property
    def sustainment_rate(self) -> float | None:
        """Sustainments for each job outcome; several are due for one that lasts."""
        return _rate(self.sustainment_count, self.job_outcome_count)

    @property
    def old_start_rate(self) -> float | None:
        """Started among clients of at least 12 months."""
        return _rate(self.old_started_client_count, self.old_client_count)

    @property
    def old_outcome_rate(self) -> float | None:
        """With a job outcome, of those who started, among clients of at least 12 months."""
        return _rate(self.old_outcome_client_count, self.old_started_client_count)


@dataclass(frozen=True)
class Conversion:
    """What became of the referrals of one agreement or contract, by client group and in all."""

    groups: tuple[tuple[str, GroupConversion], ...]

    @property
    def total(self) -> GroupConversion:
        """All client groups together."""
        return GroupConversion(
            *(
                sum(getattr(group, name) for _, group in self.groups)
                for name in GroupConversion.__dataclass_fields__
            )
        )


Key = tuple[str, str | None]
_Counts = dict[Key, dict[str, dict[str, int]]]


def conversion(facts: Facts) -> Mapping[Key, Conversion]:
    """The conversion of every agreement, and every contract (None for its subcontractor).

    A contract counts all clients of its window: in house, and sent to organisations without an
    agreement, included.
    """
    referrals = _word_that_counts(facts.frames, "referrals")
    payments = _word_that_counts(facts.frames, "payments")
    outcomes = _outcome_clients(facts.frames)
    covered = _payment_months(facts.frames)
    counts: _Counts = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for whole in (False, True):
        windows = _windows(facts, whole)
        for row in records(_referral_counts(referrals.join(windows, **_on(whole)))):
            group = counts[_key(row, whole)][row["client_group"]]
            group["referral_count"] += row["referral_count"]
            group["start_count"] += row["start_count"]
        for row in records(_event_counts(payments.join(windows, **_on(whole)))):
            group = counts[_key(row, whole)][row["client_group"]]
            for event in _EVENTS:
                group[f"{event.removesuffix('_fee')}_count"] += row[event]
        for row in records(_client_counts(referrals.join(windows, **_on(whole)), outcomes)):
            _add_clients(counts[_key(row, whole)][row["client_group"]], row, covered)
    subjects = [*facts.agreements, *facts.contracts]
    return {
        (one.contract_id, one.subcontractor_id): Conversion(
            tuple(
                (name, GroupConversion(**group))
                for name, group in sorted(counts[one.contract_id, one.subcontractor_id].items())
            )
        )
        for one in subjects
    }


def _add_clients(
    group: dict[str, int], row: Mapping[str, Any], covered: Mapping[str, set[int]]
) -> None:
    """The clients of one group, reporter and month of first referral."""
    group["client_count"] += row["clients"]
    group["outcome_client_count"] += row["with_outcome"]
    first, last = row["first_referred"], row["last_month"]
    followed = covered.get(row["reporter_id"], set()) >= set(range(first, last + 1))
    if followed and last - first >= OLD_ENOUGH_MONTHS:
        group["old_client_count"] += row["clients"]
        group["old_started_client_count"] += row["started"]
        group["old_outcome_client_count"] += row["started_with_outcome"]


def _key(row: Mapping[str, Any], whole: bool) -> Key:
    return row["contract_id"], None if whole else row["subcontractor_id"]


def _on(whole: bool) -> dict[str, Any]:
    return {"on": ["contract_id"] if whole else list(AGREEMENT), "how": "inner"}


def _windows(facts: Facts, whole: bool) -> nw.LazyFrame[Any]:
    of = nw.col("subcontractor_id") == WHOLE_CONTRACT
    keys = ("contract_id",) if whole else AGREEMENT
    return facts.rows.filter(of if whole else ~of).select(*keys, "first_month", "last_month")


def _word_that_counts(frames: Frames, table: str) -> nw.LazyFrame[Any]:
    """The rows of a log that count: the subcontractor's in months it covers, else the prime's.

    With month as a number, client_group empty where none is given, and the log's own columns.
    """
    own = {
        "referrals": ("client_hash", "referral_count", "started_on"),
        "payments": ("payment_type",),
    }[table]
    coverage = (
        frames.coverage.filter(nw.col("table") == table)
        .select(subcontractor_id="reporter_id", month=month_number("month"), sub_covered=nw.lit(1))
        .unique()
    )
    rows: nw.LazyFrame[Any] = getattr(frames, table)
    return (
        rows.select(
            *AGREEMENT,
            nw.col("client_group").fill_null(NO_GROUP),
            "reporter_id",
            *own,
            month=month_number("month"),
        )
        .join(frames.contracts.select("contract_id", "prime_id"), on="contract_id", how="inner")
        .join(coverage, on=["subcontractor_id", "month"], how="left")
        .filter(
            (nw.col("reporter_id") == nw.col("subcontractor_id"))
            | ((nw.col("reporter_id") == nw.col("prime_id")) & nw.col("sub_covered").is_null())
        )
    )


def _referral_counts(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    started = ~nw.col("started_on").is_null()
    return _sums(
        rows.filter(in_window()).with_columns(
            start_count=nw.when(started).then(nw.col("referral_count")).otherwise(0)
        ),
        "referral_count",
        "start_count",
    )


def _event_counts(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    flags = {
        event: nw.when(nw.col("payment_type") == event).then(1).otherwise(0) for event in _EVENTS
    }
    events = rows.filter(in_window() & nw.col("payment_type").is_in(_EVENTS))
    return _sums(events.with_columns(**flags), *_EVENTS)


def _client_counts(rows: nw.LazyFrame[Any], outcomes: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Clients by agreement, group, reporter and month first referred, with the window's end."""
    client = (*AGREEMENT, "reporter_id", "client_hash")
    started = nw.when(nw.col("started_on").is_null()).then(0).otherwise(1)
    clients = (
        rows.filter(in_window() & ~nw.col("client_hash").is_null())
        .with_columns(has_started=started)
        .group_by(*client, "client_group", "last_month")
        .agg(
            nw.col("month").min().alias("first_referred"),
            nw.col("has_started").max().alias("started"),
        )
        .join(outcomes, on=list(client), how="left")
        .with_columns(
            clients=nw.lit(1),
            with_outcome=nw.when(nw.col("outcome_month") <= nw.col("last_month"))
            .then(1)
            .otherwise(0),
        )
        .with_columns(started_with_outcome=nw.col("started") * nw.col("with_outcome"))
    )
    return _sums(
        clients,
        "clients",
        "started",
        "with_outcome",
        "started_with_outcome",
        by=("reporter_id", "first_referred", "last_month"),
    )


def _sums(rows: nw.LazyFrame[Any], *names: str, by: Iterable[str] = ()) -> nw.LazyFrame[Any]:
    return (
        rows.group_by(*AGREEMENT, "client_group", *by)
        .agg(*(nw.col(name).sum() for name in names))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in names))
    )


def _outcome_clients(frames: Frames) -> nw.LazyFrame[Any]:
    """The month of each client's first job outcome, by agreement and reporter."""
    return (
        frames.payments.filter(
            nw.col("payment_type") == "job_outcome", ~nw.col("client_hash").is_null()
        )
        .select(*AGREEMENT, "reporter_id", "client_hash", month=month_number("month"))
        .group_by(*AGREEMENT, "reporter_id", "client_hash")
        .agg(nw.col("month").min().alias("outcome_month"))
    )


def _payment_months(frames: Frames) -> Mapping[str, set[int]]:
    covered = defaultdict(set)
    months = frames.coverage.filter(nw.col("table") == "payments").select(
        "reporter_id", month=month_number("month")
    )
    for row in records(months.unique()):
        covered[row["reporter_id"]].add(row["month"])
    return covered
