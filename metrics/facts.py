"""What the ledger says about each agreement and contract, gathered once for every flag."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.clumping import clumping_by_pool, pool_of
from metrics.evidence.overdispersion import Clumping
from metrics.frames import collected, records
from metrics.intake import groups_served
from metrics.management_fee import matched_events, summed
from metrics.referral_months import referral_months
from metrics.window import (
    AGREEMENT,
    WHOLE_CONTRACT,
    assessed,
    covered_months,
    day_of,
    in_window,
    last_month,
    month_code,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from metrics.clumping import Pool
    from metrics.frames import Frames


@dataclass(frozen=True)
class ForecastVersion:
    """One version of a forecast, with the reported months it counts for.

    `changed_months` are those for which another forecast counted when they began, by what had
    been received by then; `referral_count_before` is what that one had for them, and
    `referral_count_changed` what this one has.
    """

    issued_on: dt.date
    issuer_id: str
    month_count: int
    referral_count: int
    changed_months: int = 0
    referral_count_before: int = 0
    referral_count_changed: int = 0

    def evidence(self) -> dict[str, Any]:
        """The version as JSON."""
        told: dict[str, Any] = {
            "issued_on": self.issued_on.isoformat(),
            "issued_by": self.issuer_id,
            "months": self.month_count,
            "referrals": self.referral_count,
        }
        if self.changed_months:
            told["changed_after_the_month_began"] = {
                "months": self.changed_months,
                "referrals_before": self.referral_count_before,
                "referrals_now": self.referral_count_changed,
            }
        return told


@dataclass(frozen=True)
class Payments:
    """Payment sums in whole pence, of one client group or all of them."""

    received_pence: int = 0
    payable_pence: int = 0
    paid_pence: int = 0
    event_count: int = 0


@dataclass(frozen=True)
class Window:
    """The months asked about, as month numbers; `first` None where no start is known."""

    first: int | None
    end: int | None  # where the agreement or contract has an end
    last: int

    @property
    def month_count(self) -> int:
        """How many months it has; 0 if none is over yet."""
        return 0 if self.first is None else max(0, self.last - self.first + 1)

    def evidence(self) -> dict[str, Any]:
        """The window as JSON; its months are null where none is over."""
        first = self.first if self.month_count else None
        return {
            "first_month": month_code(first),
            "last_month": month_code(self.last) if self.month_count else None,
            "months": self.month_count,
        }


@dataclass(frozen=True)
class Terms:
    """What the registers say was agreed; None where a cell is empty.

    `starts_on` is the contract's first day. Of a whole contract only that is known.
    """

    starts_on: dt.date | None = None
    delivery_role: str | None = None
    named_in_bid: bool = False
    consented_on: dt.date | None = None
    live_on: dt.date | None = None
    promised_share: float | None = None
    agreed_management_fee_rate: float | None = None
    at_risk_share: float | None = None
    prime_at_risk_share: float | None = None
    payment_terms_days: int | None = None


@dataclass(frozen=True)
class Subject:
    """What is known about one agreement, or one contract (`subcontractor_id` None).

    Counts of referrals run over the reported months only. `intake` runs over those that the prime
    has reported, and is None where there is none. `expected` is None where no forecast row exists
    in any month. Payment sums run over the months of the window that the prime's payments returns
    cover. `clumping` is what the agreements (or the whole contracts) of its pool say. A contract
    that is `confidential` is counted among no others.
    """

    contract_id: str
    subcontractor_id: str | None
    prime_id: str | None
    programme: str
    confidential: bool
    window: Window
    terms: Terms
    clumping: Clumping
    client_groups: tuple[str, ...]  # those served; none: all
    reported_months: int
    reported_by_subcontractor: int  # months whose observed count is the subcontractor's
    reported_by_prime: int  # months whose observed count is the prime's
    observed: int
    observed_by_subcontractor: int  # everything the subcontractor reported
    observed_by_prime: int  # everything the prime reported
    expected: int | None
    versions: tuple[ForecastVersion, ...]
    intake: int | None
    intake_months: int  # reported months of which the prime has reported its intake
    payment_months: int
    payment_months_by_subcontractor: int
    payments: Payments
    payments_by_group: tuple[tuple[str, Payments], ...]

    @property
    def pool(self) -> Pool:
        """What it is counted and estimated with."""
        return pool_of(self.contract_id, self.programme, self.confidential)

    @property
    def promised_share(self) -> float | None:
        """The share of the intake that the register says was promised."""
        return self.terms.promised_share

    @property
    def promise(self) -> float | None:
        """E: the forecast, else the promised share of the intake; None without either."""
        if self.expected is not None:
            return float(self.expected)
        if self.promised_share is not None and self.intake is not None:
            return self.promised_share * self.intake
        return None

    @property
    def intake_complete(self) -> bool:
        """Whether the prime has reported its intake for every reported month.

        With months missing the true intake can only be larger: enough to say that so few came to
        the subcontractor by allocation, but not that so few came by want of clients.
        """
        return self.intake is not None and self.intake_months >= self.reported_months

    def referral_evidence(self) -> dict[str, Any]:
        """The figures behind a flag about referrals, as JSON."""
        return {
            "window": self.window.evidence(),
            "reported_months": self.reported_months,
            "reported_by": {
                "subcontractor": self.reported_by_subcontractor,
                "prime": self.reported_by_prime,
            },
            "observed": self.observed,
            "observed_by": {
                "subcontractor": self.observed_by_subcontractor,
                "prime": self.observed_by_prime,
            },
            "forecast": self.expected,
            "forecast_versions": [version.evidence() for version in self.versions],
            "intake": self.intake,
            "intake_months": self.intake_months,
            "promised_share": self.promised_share,
            "client_groups": list(self.client_groups),
            "programme": self.programme,
        }


@dataclass(frozen=True)
class Facts:
    """Everything the flags need: subjects in the order of answers, and organisations' names.

    `frames` and `rows` (as `assessed` gives them) are there for a flag that needs more than the
    subjects hold: what was known on `as_of`, for the windows up to the month `last`.
    """

    frames: Frames
    as_of: dt.date
    last: int
    rows: nw.LazyFrame[Any]
    agreements: tuple[Subject, ...]
    contracts: tuple[Subject, ...]
    names: Mapping[str, str]

    def name(self, organisation_id: str | None) -> str:
        """The organisation's name, its id where no name is known."""
        if organisation_id is None:
            return "the prime"
        return self.names.get(organisation_id, organisation_id)


Key = tuple[str, str]


def _by_key(frame: nw.LazyFrame[Any]) -> dict[Key, list[dict[str, Any]]]:
    grouped: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for row in records(frame):
        grouped[row["contract_id"], row["subcontractor_id"]].append(row)
    return grouped


def _referral_totals(months: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Sums over the reported months: one row per agreement or contract and forecast version."""
    by_sub = nw.col("sub_covered") == 1
    sums = (
        "months",
        "sub_covered",
        "prime_covered",
        "observed",
        "observed_sub",
        "observed_prime",
        "intake",
        "expected",
        "changed_months",
        "expected_before",
        "expected_changed",
    )
    changed = (nw.col("expected_before") != nw.col("expected")).fill_null(value=False)
    return (
        months.select(
            *AGREEMENT,
            "sub_covered",
            "prime_covered",
            "observed_sub",
            "observed_prime",
            "intake",
            nw.col("expected").fill_null(0),
            nw.col("issued").fill_null(0),
            nw.col("issuer_id").fill_null(""),
            changed_months=nw.when(changed).then(1).otherwise(0),
            expected_before=nw.when(changed).then(nw.col("expected_before")).otherwise(0),
            expected_changed=nw.when(changed).then(nw.col("expected")).otherwise(0),
            months=nw.lit(1),
            observed=nw.when(by_sub)
            .then(nw.col("observed_sub"))
            .otherwise(nw.col("observed_prime")),
        )
        .group_by(*AGREEMENT, "issued", "issuer_id")
        .agg(*(nw.col(name).sum() for name in sums))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in sums))
    )


def _payment_months(months: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    counted = ("prime_covered", "sub_covered")
    return (
        months.filter(in_window() & (nw.col("prime_covered") == 1))
        .group_by(*AGREEMENT)
        .agg(*(nw.col(name).sum() for name in counted))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in counted))
    )


def gather(
    frames: Frames,
    as_of: dt.date,
    through: dt.date | None = None,
    confidential: frozenset[str] = frozenset(),
) -> Facts:
    """The facts of every agreement and contract, ordered by contract and subcontractor.

    Each of the `confidential` contracts is counted by itself: no answer about another contract
    rests on it, and none about it on others.
    """
    last = last_month(as_of, through)
    rows = assessed(frames, last)
    payment_months = covered_months(frames, rows, "payments")
    agreed = ("delivery_role", "named_in_bid", "consented_on", "live_on", "promised_share")
    money = ("agreed_management_fee_rate", "at_risk_share", "prime_at_risk_share")
    terms = _by_key(frames.agreements.select(*AGREEMENT, *agreed, *money, "payment_terms_days"))
    contracts = {
        row["contract_id"]: row
        for row in records(frames.contracts.select("contract_id", "programme", "starts_on"))
    }
    # Two questions ask for the months: they are worked out once.
    shares = frames.agreements.select(*AGREEMENT, "promised_share")
    months = collected(
        referral_months(frames, rows)
        .filter(in_window())
        .join(shares, on=list(AGREEMENT), how="left")
    )

    def pool(contract_id: str) -> Pool:
        programme = contracts.get(contract_id, {}).get("programme") or ""
        return pool_of(contract_id, programme, contract_id in confidential)

    clumping = clumping_by_pool(months, pool)
    referrals = _by_key(_referral_totals(months))
    forecast = frames.forecasts.select(
        "contract_id", nw.col("subcontractor_id").fill_null(WHOLE_CONTRACT)
    ).unique()
    forecasts = _by_key(forecast)
    groups = _by_key(groups_served(frames))
    reported = _by_key(_payment_months(payment_months))
    payments = _by_key(summed(matched_events(frames, payment_months), *AGREEMENT, "client_group"))
    subjects = []
    for row in records(rows):
        key = row["contract_id"], row["subcontractor_id"]
        contract = contracts.get(row["contract_id"], {})
        programme, alone = contract.get("programme") or "", row["contract_id"] in confidential
        agreed_terms = dict((terms.get(key) or [{}])[0])
        for name in AGREEMENT:
            agreed_terms.pop(name, None)
        subjects.append(
            _subject(
                row,
                programme,
                alone,
                Terms(starts_on=contract.get("starts_on"), **agreed_terms),
                clumping.get((pool(key[0]), not key[1]), Clumping()),
                key in forecasts,
                sorted(group["client_group"] for group in groups.get(key, ())),
                referrals.get(key, ()),
                (reported.get(key) or [{}])[0],
                payments.get(key, ()),
            )
        )
    subjects.sort(key=lambda subject: (subject.contract_id, subject.subcontractor_id or ""))
    return Facts(
        frames=frames,
        as_of=as_of,
        last=last,
        rows=rows,
        agreements=tuple(s for s in subjects if s.subcontractor_id is not None),
        contracts=tuple(s for s in subjects if s.subcontractor_id is None),
        names={
            row["organisation_id"]: row["name"]
            for row in records(frames.organisations.select("organisation_id", "name"))
        },
    )


def _subject(
    row: Mapping[str, Any],
    programme: str,
    confidential: bool,
    terms: Terms,
    clumping: Clumping,
    has_forecast: bool,
    client_groups: Sequence[str],
    referrals: Sequence[Mapping[str, Any]],
    payment_months: Mapping[str, int],
    payments: Sequence[Mapping[str, Any]],
) -> Subject:
    def total(name: str) -> int:
        return sum(part[name] for part in referrals)

    versions = [
        ForecastVersion(
            day_of(part["issued"]),
            part["issuer_id"],
            part["months"],
            part["expected"],
            part["changed_months"],
            part["expected_before"],
            part["expected_changed"],
        )
        for part in referrals
        if part["issued"]
    ]
    by_group = sorted(
        (
            part["client_group"],
            Payments(
                part["received_pence"],
                part["payable_pence"],
                part["paid_pence"],
                part["event_count"],
            ),
        )
        for part in payments
        if part["event_count"] or part["paid_pence"]
    )
    months, by_sub = total("months"), total("sub_covered")
    return Subject(
        contract_id=row["contract_id"],
        subcontractor_id=row["subcontractor_id"] or None,
        prime_id=row["prime_id"] or None,
        programme=programme,
        confidential=confidential,
        window=Window(row["first_month"], row["end_month"], row["last_month"]),
        terms=terms,
        clumping=clumping,
        client_groups=tuple(client_groups),
        reported_months=months,
        reported_by_subcontractor=by_sub,
        reported_by_prime=months - by_sub,
        observed=total("observed"),
        observed_by_subcontractor=total("observed_sub"),
        observed_by_prime=total("observed_prime"),
        expected=total("expected") if has_forecast else None,
        versions=tuple(sorted(versions, key=lambda v: (v.issued_on, v.issuer_id))),
        intake=total("intake") if total("prime_covered") else None,
        intake_months=total("prime_covered"),
        payment_months=payment_months.get("prime_covered", 0),
        payment_months_by_subcontractor=payment_months.get("sub_covered", 0),
        payments=Payments(
            *(
                sum(getattr(part, name) for _, part in by_group)
                for name in ("received_pence", "payable_pence", "paid_pence", "event_count")
            )
        ),
        payments_by_group=tuple(by_group),
    )
