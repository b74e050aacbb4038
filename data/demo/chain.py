"""Writes the worked example as the returns that its organisations would send."""

from __future__ import annotations

import csv
import datetime as dt
import json
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from data.demo.events import payments_earned, referrals_made
from data.demo.plan import (
    AGREEMENTS,
    CLOSED_ON,
    COMMISSIONER,
    CONTRACTS,
    GROUPS,
    HALF_YEAR_REPORTERS,
    HEALTH,
    ISSUED_ON,
    LAST_DAY,
    MONTHS,
    NETWORK,
    NIL_REPORTERS,
    ORGANISATIONS,
    PAID_EVENTS,
    PAYMENT_REPORTERS,
    PROGRAMME,
    REFERRAL_REPORTERS,
    REVISED_ON,
    SILENT_PRIME,
    contract_named,
    growth,
    price_pence,
    prime,
)
from data.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from data.demo.events import Payment, Referral
    from data.demo.plan import Agreement

Row = dict[str, str]
Entry = dict[str, str | bool]

FIRST_HALF_RECEIVED_ON = dt.date(2012, 3, 12)
FIRST_HALF_MONTHS = 9
LATER_FACTOR = {group: 0.4 if group in HEALTH else 1.05 for group in GROUPS}
REVISING_PRIME = prime(1)


def pounds(pence: int) -> str:
    """An amount as the standard writes it."""
    sign, whole = ("-", -pence) if pence < 0 else ("", pence)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else ""


def _span(months: Sequence[dt.date]) -> str:
    return f"{months[0]:%Y-%m}..{months[-1]:%Y-%m}"


def _organisation_rows() -> list[Row]:
    return [
        {
            "organisation_id": organisation.organisation_id,
            "name": organisation.name,
            "sector": organisation.sector,
        }
        for organisation in ORGANISATIONS
    ]


def _contract_rows() -> list[Row]:
    return [
        {
            "contract_id": contract.contract_id,
            "programme": PROGRAMME,
            "contract_package_area": contract.area,
            "commissioner_id": COMMISSIONER,
            "prime_id": contract.prime_id,
            "starts_on": _day(MONTHS[0]),
            "ends_on": _day(LAST_DAY),
        }
        for contract in CONTRACTS
    ]


def _agreement_rows() -> list[Row]:
    return [
        {
            "contract_id": agreement.contract_id,
            "subcontractor_id": agreement.subcontractor_id,
            "tier": str(agreement.tier),
            "tier_scheme": "Work Programme",
            "delivery_role": agreement.delivery_role,
            "named_in_bid": "yes" if agreement.named else "no",
            "consented_on": "2011-01-17" if agreement.named and agreement.consented else "",
            "live_on": _day(MONTHS[0]),
            "promised_share": f"{agreement.share:.3f}" if agreement.named else "",
            "agreed_management_fee": f"{agreement.fee:.2f}",
            "at_risk_share": "0.80",
            "prime_at_risk_share": "0.80",
            "payment_terms_days": "30",
        }
        for agreement in AGREEMENTS
    ]


def _price_rows() -> list[Row]:
    def row(contract_id: str, subcontractor_id: str, group: str, event: str, pence: int) -> Row:
        return {
            "contract_id": contract_id,
            "subcontractor_id": subcontractor_id,
            "client_group": group,
            "payment_type": event,
            "price": pounds(pence),
        }

    paid_to_primes = [
        row(contract.contract_id, "", group, event, price_pence(group, event))
        for contract in CONTRACTS
        for group in GROUPS
        for event in PAID_EVENTS
    ]
    return paid_to_primes + [
        row(
            agreement.contract_id,
            agreement.subcontractor_id,
            group,
            event,
            price_pence(group, event, agreement.fee),
        )
        for agreement in AGREEMENTS
        for group in agreement.groups
        for event in PAID_EVENTS
    ]


def _whole(expected: Sequence[float]) -> list[int]:
    """Whole counts whose running total follows that of the expected ones."""
    # Not sum(): Python 3.12 made it more exact for floats, and the files would differ.
    reached = [int(total + 0.5) for total in accumulate(expected)]
    return [count - before for before, count in pairwise([0, *reached])]


def _forecast_rows(
    contract_id: str, subcontractor_id: str, group: str, counts: Iterable[int], revised: bool
) -> list[Row]:
    """The rows of one version; a revision covers only the months after it was issued."""
    issued_on = REVISED_ON if revised else ISSUED_ON
    return [
        {
            "contract_id": contract_id,
            "subcontractor_id": subcontractor_id,
            "client_group": group,
            "month": f"{month:%Y-%m}",
            "referrals": str(count),
            "issued_on": _day(issued_on),
        }
        for month, count in zip(MONTHS, counts, strict=True)
        if month > issued_on
    ]


def _contract_forecast_rows(revised: bool) -> list[Row]:
    return [
        row
        for contract in CONTRACTS
        for group in GROUPS
        for row in _forecast_rows(
            contract.contract_id,
            "",
            group,
            _whole(
                [contract.forecast[group] * (LATER_FACTOR[group] if revised else 1)] * len(MONTHS)
            ),
            revised,
        )
    ]


def _agreement_counts(agreement: Agreement, group: str, revised: bool) -> list[int]:
    if agreement.forecast_months:
        return [int(month in agreement.forecast_months) for month in range(len(MONTHS))]
    expected = agreement.share * contract_named(agreement.contract_id).forecast[group]
    if revised:
        expected *= LATER_FACTOR[group]
    return _whole(
        [expected * (growth(month) if agreement.growing else 1) for month in range(len(MONTHS))]
    )


def _agreement_forecast_rows(prime_id: str, revised: bool) -> list[Row]:
    return [
        row
        for agreement in AGREEMENTS
        if agreement.promise == "forecast"
        and contract_named(agreement.contract_id).prime_id == prime_id
        for group in agreement.groups
        for row in _forecast_rows(
            agreement.contract_id,
            agreement.subcontractor_id,
            group,
            _agreement_counts(agreement, group, revised),
            revised,
        )
    ]


def _mark(organisation_id: str) -> str:
    return organisation_id.removeprefix("XX-EXAMPLE-").lower()


def _referral_rows(referrals: Sequence[Referral], by: str, known_on: dt.date) -> list[Row]:
    return [
        {
            "referral_id": f"{_mark(by)}-referral-{number:04d}",
            "contract_id": row.contract_id,
            "subcontractor_id": row.subcontractor_id,
            "client_group": row.client_group,
            "referred_on": _day(row.referred_on),
            "client_ref": row.client_ref,
            "started_on": _day(row.started_on)
            if row.started_on and row.started_on < known_on
            else "",
        }
        for number, row in enumerate(referrals, start=1)
    ]


def _payment_rows(payments: Sequence[Payment], by: str, of_prime: bool) -> list[Row]:
    """The reporter's payments; only a prime knows what the commissioner paid, once it has."""
    return [
        {
            "payment_id": f"{_mark(by)}-payment-{number:04d}",
            "contract_id": row.contract_id,
            "subcontractor_id": row.subcontractor_id,
            "payment_type": row.payment_type,
            "client_group": row.client_group,
            "client_ref": row.client_ref,
            "earned_on": _day(row.earned_on),
            "commissioner_amount": pounds(row.commissioner_amount_pence)
            if of_prime and row.received_on
            else "",
            "received_on": _day(row.received_on) if of_prime else "",
            "subcontractor_amount": pounds(row.subcontractor_amount_pence),
            "invoiced_on": _day(row.invoiced_on),
            "paid_on": _day(row.paid_on),
        }
        for number, row in enumerate(payments, start=1)
    ]


class _Post:
    """The returns written so far; those of one day in the order they are to be loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: list[Entry] = []

    def write(self, table: str, file: str, rows: Iterable[Mapping[str, str]]) -> None:
        """Write a file with the columns of the standard."""
        with (self.folder / file).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(
                stream, TABLES[table].column_ids, restval="", lineterminator="\n"
            )
            writer.writeheader()
            writer.writerows(rows)

    def send(
        self,
        table: str,
        by: str,
        received_on: dt.date,
        rows: Sequence[Mapping[str, str]],
        *,
        months: Sequence[dt.date] = (),
        suffix: str = "",
    ) -> None:
        """Write a return and list it; one without rows is a nil return and has no file."""
        entry: Entry = {"table": table, "by": by, "received_on": _day(received_on)}
        if months:
            entry["covers"] = _span(months)
        if rows:
            entry["file"] = f"{table}_{_mark(by)}{suffix}.csv"
            self.write(table, str(entry["file"]), rows)
        else:
            entry["nil"] = True
        self.entries.append(entry)


def _send_registers(post: _Post) -> None:
    received_on = dt.date(2011, 5, 9)
    post.send("organisations", NETWORK, received_on, _organisation_rows())
    post.send("contracts", NETWORK, received_on, _contract_rows())
    post.send("agreements", NETWORK, received_on, _agreement_rows())
    post.send("prices", NETWORK, received_on, _price_rows())


def _send_forecasts(post: _Post) -> None:
    primes = sorted({contract.prime_id for contract in CONTRACTS})
    post.send(
        "forecasts",
        COMMISSIONER,
        ISSUED_ON,
        _contract_forecast_rows(False),
        months=MONTHS,
        suffix="_1",
    )
    for prime_id in primes:
        rows = _agreement_forecast_rows(prime_id, False)
        post.send("forecasts", prime_id, ISSUED_ON, rows, months=MONTHS, suffix="_1")
    later = [month for month in MONTHS if month > REVISED_ON]
    post.send(
        "forecasts",
        COMMISSIONER,
        REVISED_ON,
        _contract_forecast_rows(True),
        months=later,
        suffix="_2",
    )
    rows = _agreement_forecast_rows(REVISING_PRIME, True)
    post.send("forecasts", REVISING_PRIME, REVISED_ON, rows, months=later, suffix="_2")


def _reported(by: str, referrals: Sequence[Referral]) -> list[Referral]:
    """What an organisation reports: a prime its contracts, a subcontractor itself."""
    its_contracts = {row.contract_id for row in CONTRACTS if row.prime_id == by}
    return [
        row
        for row in referrals
        if row.contract_id in its_contracts
        or (row.subcontractor_id == by and row.known_to_subcontractor)
    ]


def _send_logs(post: _Post) -> None:
    referrals = referrals_made()
    payments = payments_earned(referrals)
    primes = sorted({contract.prime_id for contract in CONTRACTS} - {SILENT_PRIME})
    reporters = (*primes, *sorted({*REFERRAL_REPORTERS, *NIL_REPORTERS}))
    first, second = MONTHS[:FIRST_HALF_MONTHS], MONTHS[FIRST_HALF_MONTHS:]
    for by in HALF_YEAR_REPORTERS:
        early = [row for row in _reported(by, referrals) if row.referred_on < second[0]]
        rows = _referral_rows(early, by, FIRST_HALF_RECEIVED_ON)
        post.send("referrals", by, FIRST_HALF_RECEIVED_ON, rows, months=first, suffix="_1")
    for by in reporters:
        rows = _referral_rows(_reported(by, referrals), by, CLOSED_ON)
        if by in HALF_YEAR_REPORTERS:
            rows = [row for row in rows if row["referred_on"] >= _day(second[0])]
            post.send("referrals", by, CLOSED_ON, rows, months=second, suffix="_2")
        else:
            post.send("referrals", by, CLOSED_ON, rows, months=MONTHS)
    for by in (*primes, *PAYMENT_REPORTERS):
        its_contracts = {row.contract_id for row in CONTRACTS if row.prime_id == by}
        its_own = [
            row
            for row in payments
            if row.contract_id in its_contracts or row.subcontractor_id == by
        ]
        post.send(
            "payments", by, CLOSED_ON, _payment_rows(its_own, by, by in primes), months=MONTHS
        )
    _write_refused(post, payments)


def _write_refused(post: _Post, payments: Sequence[Payment]) -> None:
    """A prime's last month with the id of one row pasted into its amount; it is not listed."""
    by = prime(2)
    last = [
        row
        for row in payments
        if row.earned_on >= MONTHS[-1] and contract_named(row.contract_id).prime_id == by
    ][:12]
    rows = _payment_rows(last, by, True)
    for number, row in enumerate(rows):
        row["payment_id"] = str(2011400 + number * 17)
    rows[6]["subcontractor_amount"] = rows[6]["payment_id"]
    post.write("payments", "refused_payments.csv", rows)


def write_chain(folder: Path) -> Path:
    """Write the returns of the example and `manifest.json`; the path of the manifest.

    The same bytes every time, on every platform. `refused_payments.csv` lies beside them and is
    not in the manifest: the checks refuse it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    post = _Post(folder)
    _send_registers(post)
    _send_forecasts(post)
    _send_logs(post)
    manifest = folder / "manifest.json"
    entries = sorted(post.entries, key=lambda entry: entry["received_on"])
    manifest.write_bytes((json.dumps(entries, indent=2) + "\n").encode())
    return manifest
