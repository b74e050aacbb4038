"""What happened in the invented chain: who was referred where, and what was earned and paid.

Only `random.Random.random` is drawn from: its sequence is the same on every platform and in
every version of Python.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, replace

from data.demo.plan import (
    ADULT,
    AGREEMENTS,
    CLOSED_ON,
    CONTRACTS,
    EX_IB,
    GROUPS,
    HEALTH,
    LAST_DAY,
    MONTHS,
    ONE_SIDED,
    ONE_SIDED_COUNT,
    YOUNG,
    Agreement,
    Contract,
    contract_named,
    price_pence,
)

SEED = 20120731
DELIVERED = {group: 0.34 if group in HEALTH else 1.09 for group in GROUPS}
OUTCOME_CHANCE = {YOUNG: 0.25, ADULT: 0.27}  # the health-related groups: 0.11
DAYS_TO_OUTCOME = {EX_IB: 13 * 7}  # others 26 weeks
SUSTAINMENT_COUNT = 13
START_CHANCE = 0.9
STILL_IN_WORK_CHANCE = 0.93
REVERSED_CHANCE = 0.004


@dataclass(frozen=True)
class Referral:
    """One client sent to a subcontractor, or kept by the prime (its own id)."""

    contract_id: str
    subcontractor_id: str
    client_group: str
    client_ref: str
    referred_on: dt.date
    started_on: dt.date | None
    known_to_subcontractor: bool = True


@dataclass(frozen=True)
class Payment:
    """One payable event; the dates that had not come by the last day known are empty."""

    contract_id: str
    subcontractor_id: str
    payment_type: str
    client_group: str
    client_ref: str
    earned_on: dt.date
    commissioner_amount_pence: int
    received_on: dt.date | None
    subcontractor_amount_pence: int
    invoiced_on: dt.date | None
    paid_on: dt.date | None


def _between(chance: random.Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(chance.random() * (high - low + 1))


def _known(day: dt.date) -> dt.date | None:
    return day if day < CLOSED_ON else None


def _intake(chance: random.Random, forecast: float, delivered: float) -> list[int]:
    """Clients a month: the forecast times what was delivered of it, with months that differ."""
    counts: list[int] = []
    for month in range(len(MONTHS)):
        reached = forecast * delivered * (month + 1 + 0.5 * (chance.random() - 0.5))
        counts.append(max(0, int(reached + 0.5) - sum(counts)))
    return counts


def _allocated(
    chance: random.Random, prime_id: str, agreements: list[Agreement], month: int
) -> str:
    """Who gets the next client: a subcontractor by its share, or else the prime itself."""
    drawn = chance.random()
    for agreement in agreements:
        drawn -= agreement.weight(month)
        if drawn < 0:
            return agreement.subcontractor_id
    return prime_id


def _referrals_of(chance: random.Random, contract: Contract) -> list[Referral]:
    referrals: list[Referral] = []
    mark = contract.contract_id.removeprefix("EXAMPLE-").lower()
    for group in GROUPS:
        serving = [
            agreement
            for agreement in AGREEMENTS
            if agreement.contract_id == contract.contract_id and group in agreement.groups
        ]
        counts = _intake(chance, contract.forecast[group], DELIVERED[group])
        for month, count in enumerate(counts):
            for _ in range(count):
                referred_on = MONTHS[month].replace(day=_between(chance, 1, 28))
                started_on = referred_on + dt.timedelta(days=_between(chance, 4, 20))
                begins = chance.random() < START_CHANCE and started_on <= LAST_DAY
                referrals.append(
                    Referral(
                        contract.contract_id,
                        _allocated(chance, contract.prime_id, serving, month),
                        group,
                        f"client-{mark}-{len(referrals) + 1:04d}",
                        referred_on,
                        started_on if begins else None,
                    )
                )
    return referrals


def _one_sided(referrals: list[Referral]) -> list[Referral]:
    """The referrals with some that the prime kept, and says it sent to a subcontractor."""
    contract_id, subcontractor_id = ONE_SIDED
    kept = [
        referral
        for referral in referrals
        if referral.contract_id == contract_id
        and referral.subcontractor_id == contract_named(contract_id).prime_id
        and referral.client_group == ADULT
        and referral.started_on is None
        and referral.referred_on < dt.date(2012, 10, 1)
    ]
    claimed = set(kept[-ONE_SIDED_COUNT:])
    return [
        replace(referral, subcontractor_id=subcontractor_id, known_to_subcontractor=False)
        if referral in claimed
        else referral
        for referral in referrals
    ]


def referrals_made() -> list[Referral]:
    """Every referral of the example, by day."""
    chance = random.Random(SEED)  # noqa: S311 invented data, nothing to guess
    referrals = [row for contract in CONTRACTS for row in _referrals_of(chance, contract)]
    return sorted(_one_sided(referrals), key=lambda row: (row.referred_on, row.client_ref))


def _earned(chance: random.Random, group: str, started_on: dt.date) -> list[tuple[str, dt.date]]:
    """The payable events of one client who started, in order."""
    events = [("attachment_fee", started_on)]
    if chance.random() < REVERSED_CHANCE:
        events.append(("adjustment", started_on + dt.timedelta(days=35)))
    elif chance.random() < OUTCOME_CHANCE.get(group, 0.11):
        outcome_on = started_on + dt.timedelta(
            days=_between(chance, 20, 150) + DAYS_TO_OUTCOME.get(group, 26 * 7)
        )
        events.append(("job_outcome", outcome_on))
        for count in range(1, SUSTAINMENT_COUNT + 1):
            if chance.random() > STILL_IN_WORK_CHANCE:
                break
            events.append(("sustainment", outcome_on + dt.timedelta(weeks=4 * count)))
    return [event for event in events if event[1] <= LAST_DAY]


def _payment(
    chance: random.Random,
    referral: Referral,
    agreement: Agreement,
    payment_type: str,
    earned_on: dt.date,
) -> Payment:
    sign, priced = (-1, "attachment_fee") if payment_type == "adjustment" else (1, payment_type)
    received_on = _known(earned_on + dt.timedelta(days=_between(chance, 12, 20)))
    invoiced_on = _known(earned_on + dt.timedelta(days=_between(chance, 5, 11)))
    lag = dt.timedelta(days=agreement.paid_after_days + _between(chance, 0, 8))
    return Payment(
        referral.contract_id,
        referral.subcontractor_id,
        payment_type,
        referral.client_group,
        referral.client_ref,
        earned_on,
        sign * price_pence(referral.client_group, priced),
        received_on,
        sign * price_pence(referral.client_group, priced, agreement.kept()),
        invoiced_on,
        _known(received_on + lag) if received_on else None,
    )


def payments_earned(referrals: list[Referral]) -> list[Payment]:
    """Every payable event of clients who started with a subcontractor, by day."""
    chance = random.Random(SEED + 1)  # noqa: S311 invented data, nothing to guess
    agreed = {(row.contract_id, row.subcontractor_id): row for row in AGREEMENTS}
    payments = [
        _payment(chance, referral, agreement, payment_type, earned_on)
        for referral in referrals
        if referral.started_on
        and (agreement := agreed.get((referral.contract_id, referral.subcontractor_id)))
        for payment_type, earned_on in _earned(chance, referral.client_group, referral.started_on)
    ]
    return sorted(payments, key=lambda row: (row.earned_on, row.client_ref, row.payment_type))
