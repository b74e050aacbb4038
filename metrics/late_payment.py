"""Payments that came late or not at all, and what could be claimed for them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.frames import records
from metrics.payment_timing import one_if
from metrics.window import AGREEMENT, covered_months, in_window

if TYPE_CHECKING:
    from metrics.frames import Frames

METRIC = Metric(
    id="late_payment",
    title="Late payments",
    question="How many payments came later than was agreed or than the law allows, and what could "
    "be claimed for them?",
    why_it_matters="Whoever pays late borrows from its supplier without asking; the law gives the "
    "supplier interest and a fixed sum for it.",
    numerator="Payments made after the last day in time, and unpaid ones whose last day in time "
    "had passed when that was reported.",
    denominator="Payments made, and unpaid ones whose last day in time had passed.",
    unit="share of the payments that were made or fell due; pence",
    grain="agreement",
    direction="higher means later",
    exclusions=(
        "Rows without an invoice day, adjustments, and payments of nothing or less.",
        "Unpaid rows whose last day in time had not passed on the day they were reported.",
        "Interest on debts that became late before 7 August 2002.",
    ),
    assumptions=(
        "The invoice was valid and not disputed on the day given.",
        "An unpaid row is reckoned up to the day its return was received: what happened later "
        "nobody has said.",
        "The agreement has no other substantial remedy for late payment, which would take the "
        "place of statutory interest.",
        "Rows of one reporter with the same invoice day are one invoice, which gives the lower "
        "compensation.",
        "Interest is simple, by days of a year of 365, and cut to whole pence line by line.",
    ),
    source="Procurement Regulations 2024, regulation 38; Late Payment of Commercial Debts "
    "(Interest) Act 1998, sections 4 to 6",
    version=1,
)


@dataclass(frozen=True)
class LatePayment:
    """Late payments of one agreement with the same days, taken together.

    `ended_on` is the day they were paid; where unpaid, the day up to which that is known.
    """

    invoiced_on: dt.date
    ended_on: dt.date
    is_paid: bool
    payment_count: int
    amount_pence: int


@dataclass(frozen=True)
class Word:
    """Payments as one side reports them: how many were made or fell due, how many of them late."""

    due_count: int = 0
    late_count: int = 0


@dataclass(frozen=True)
class Lateness:
    """What is late of one agreement.

    Counts are of payments, over the rows whose word stands. `by_subcontractor` and `by_prime` are
    each side's word for the months that both have reported. `late` is ordered by day.
    """

    reported_months: int = 0
    reported_by_subcontractor: int = 0
    reported_by_both: int = 0
    paid_count: int = 0
    paid_late_count: int = 0
    unpaid_late_count: int = 0
    not_due_count: int = 0
    without_invoice_count: int = 0
    not_above_zero_count: int = 0
    adjustment_count: int = 0
    by_subcontractor: Word = Word()
    by_prime: Word = Word()
    late: tuple[LatePayment, ...] = ()

    @property
    def due_count(self) -> int:
        """Payments made, and unpaid ones whose last day in time had passed."""
        return self.paid_count + self.unpaid_late_count

    @property
    def late_count(self) -> int:
        """Payments made or still owed after the last day in time."""
        return self.paid_late_count + self.unpaid_late_count

    @property
    def late_invoice_count(self) -> int:
        """Invoices with a late payment; those of one day are one."""
        return len({payment.invoiced_on for payment in self.late})


def lateness(
    frames: Frames,
    rows: nw.LazyFrame[Any],
    payable: nw.LazyFrame[Any],
    as_of: dt.date,
    limit_days: int,
) -> dict[tuple[str, str], Lateness]:
    """What is late of every agreement with a reported month.

    `rows` as `assessed` gives them, `payable` as `payable_rows` does. The limit is `limit_days`,
    or the days that the agreement names where these are fewer.
    """
    terms = frames.agreements.select(*AGREEMENT, "payment_terms_days")
    judged = _judged(payable.join(terms, on=[*AGREEMENT], how="left"), as_of, limit_days)
    counts = {(r["contract_id"], r["subcontractor_id"]): r for r in records(_counted(judged))}
    late = defaultdict(list)
    for row in records(_late(judged)):
        late[row["contract_id"], row["subcontractor_id"]].append(
            LatePayment(
                invoiced_on=dt.date.fromordinal(row["invoiced"]),
                ended_on=dt.date.fromordinal(row["ended"]),
                is_paid=bool(row["is_paid"]),
                payment_count=row["payment_count"],
                amount_pence=row["amount_pence"],
            )
        )
    found = {}
    for row in records(_reported(frames, rows)):
        key = row["contract_id"], row["subcontractor_id"]
        of = counts.get(key, dict.fromkeys(_COUNTS, 0))
        found[key] = Lateness(
            reported_months=row["months"],
            reported_by_subcontractor=row["sub_covered"],
            reported_by_both=row["both_covered"],
            **{name: of[name] for name in _COUNTS if not name.startswith("by_")},
            by_subcontractor=Word(of["by_subcontractor_due"], of["by_subcontractor_late"]),
            by_prime=Word(of["by_prime_due"], of["by_prime_late"]),
            late=tuple(sorted(late[key], key=lambda p: (p.invoiced_on, p.ended_on, p.is_paid))),
        )
    return found


_COUNTS = (
    "paid_count",
    "paid_late_count",
    "unpaid_late_count",
    "not_due_count",
    "without_invoice_count",
    "not_above_zero_count",
    "adjustment_count",
    "by_subcontractor_due",
    "by_subcontractor_late",
    "by_prime_due",
    "by_prime_late",
)


def _reported(frames: Frames, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """How many months of the window each agreement has reported, and by whom."""
    names = ("months", "sub_covered", "both_covered")
    return (
        covered_months(frames, rows, "payments")
        .filter(in_window())
        .select(
            *AGREEMENT,
            "sub_covered",
            months=nw.lit(1),
            both_covered=nw.col("sub_covered") * nw.col("prime_covered"),
        )
        .group_by(*AGREEMENT)
        .agg(*(nw.col(name).sum() for name in names))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in names))
    )


def _judged(payable: nw.LazyFrame[Any], as_of: dt.date, limit_days: int) -> nw.LazyFrame[Any]:
    """Each row with the day its wait ended, and whether it was paid, is late or not due yet."""
    unpaid = nw.col("paid").is_null()
    reckoned = nw.min_horizontal(nw.col("known"), nw.lit(as_of.toordinal()))
    counts = (nw.col("is_payment") == 1) & ~nw.col("invoiced").is_null()
    limit = nw.min_horizontal(nw.col("payment_terms_days"), nw.lit(limit_days))
    waited = nw.col("ended") - nw.col("invoiced")
    return payable.with_columns(
        ended=nw.when(unpaid).then(reckoned).otherwise(nw.col("paid")),
        is_paid=one_if(~unpaid),
        is_due=one_if(counts),
    ).with_columns(
        is_late=one_if((nw.col("is_due") == 1) & (waited > limit)),
    )


def _counted(judged: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    stands, is_paid, is_late = (nw.col(name) == 1 for name in ("stands", "is_paid", "is_late"))
    invoiced = nw.col("is_due") == 1
    both = nw.col("both_covered") == 1
    due = invoiced & (is_paid | is_late)
    made = {
        "paid_count": stands & invoiced & is_paid,
        "paid_late_count": stands & is_late & is_paid,
        "unpaid_late_count": stands & is_late & ~is_paid,
        "not_due_count": stands & invoiced & ~is_paid & ~is_late,
        "without_invoice_count": stands & (nw.col("is_payment") == 1) & ~invoiced,
        "not_above_zero_count": stands & (nw.col("is_payment") + nw.col("is_adjustment") == 0),
        "adjustment_count": stands & (nw.col("is_adjustment") == 1),
    }
    for side in ("subcontractor", "prime"):
        told = both & (nw.col(f"of_{side}") == 1)
        made[f"by_{side}_due"] = told & due
        made[f"by_{side}_late"] = told & is_late
    return (
        judged.select(*AGREEMENT, **{name: one_if(made[name]) for name in _COUNTS})
        .group_by(*AGREEMENT)
        .agg(*(nw.col(name).sum() for name in _COUNTS))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in _COUNTS))
    )


def _late(judged: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    sums = ("payment_count", "amount_pence")
    return (
        judged.filter((nw.col("stands") == 1) & (nw.col("is_late") == 1))
        .with_columns(payment_count=nw.lit(1))
        .group_by(*AGREEMENT, "invoiced", "ended", "is_paid")
        .agg(*(nw.col(name).sum() for name in sums))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in sums))
    )
