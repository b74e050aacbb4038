"""What an offer may bring, by many runs of chance: cash by month, a loss, running out of money."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from metrics.definition import Metric
from metrics.evidence.arrays import numbers
from metrics.offer_runs import RUN_COUNT, SEED
from metrics.wording import chance, pounds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metrics.evidence.arrays import Numbers
    from metrics.offer import GroupTerms, Offer, Payment

# Runs drawn at once: few enough to stay in little memory, and a part of what a run is drawn by.
_CHUNK = 2_500

ASSUMPTIONS: tuple[str, ...] = (
    "Volume: in each run the clients who come are the forecast times one factor for the whole "
    "offer and all its client groups, drawn from a gamma distribution with the mean and spread "
    "stated.",
    "Referrals: given that factor, the clients of a month come by chance (Poisson), or in clumps "
    "(negative binomial) with the variance stated; at a clumping of 0 they come exactly as "
    "forecast, in whole clients.",
    "Results: each client starts, reaches a job outcome and stays in work with the chances stated, "
    "by itself, in that order, and after the months stated.",
    "Sustainment: a client who reaches the first payment brings all of the number stated.",
    "Money: what is earned in a month is invoiced at its end and arrives after the payment days, "
    "counted in begun months of 30 days.",
    "Costs: the start-up cost is paid in the first month, the cost a month in each month with "
    "referrals, the cost of a client in the month of its referral.",
    "TUPE: the liability falls due in its month with its chance, as a whole or not at all.",
    "After the last month with referrals only results are still paid, if the offer pays them then; "
    "work on clients who are still with you costs nothing more than stated.",
    "Balances are those at the ends of months, without interest, tax or inflation.",
)

METRIC = Metric(
    id="offer_outlook",
    title="What may become of an offer",
    question="How much money is tied up when, how likely is a loss, and how likely is it that the "
    "reserve runs out?",
    why_it_matters="Risk was passed down the supply chain to charities without reserves. An offer "
    "that pays in the end can still end the charity on the way.",
    numerator="Runs that end in a loss; runs in which the money tied up is above the reserve at "
    "the end of some month.",
    denominator="All runs.",
    unit="share of runs; pounds by month",
    grain="offer",
    direction="lower is safer",
    exclusions=("Other offers and work: each offer is weighed by itself.",),
    assumptions=ASSUMPTIONS,
    source="Monte Carlo simulation; its mean is held against offer_expectation by tests",
    version=1,
)


@dataclass(frozen=True)
class Range:
    """A sum over the runs, in whole pence: its mean, and what 1 in 10 runs are below and above."""

    mean_pence: int
    low_pence: int
    high_pence: int

    def answer(self) -> dict[str, int]:
        """The same as JSON."""
        return {
            "mean_pence": self.mean_pence,
            "low_pence": self.low_pence,
            "high_pence": self.high_pence,
        }


@dataclass(frozen=True)
class Outlook:
    """What became of the offer in all runs.

    `balances` are those at the end of each month from the first, all money of the offer so far;
    `lowest` is the lowest of a run, none above zero. `lowest_month` is the month in which the
    mean balance is lowest, 0 if it is never below zero.
    """

    run_count: int
    seed: int
    balances: tuple[Range, ...]
    result: Range
    lowest: Range
    lowest_month: int
    loss_rate: float
    out_of_money_rate: float

    @property
    def precision(self) -> float:
        """How far a chance may be off by the luck of the runs: twice its largest standard error."""
        return 1 / math.sqrt(self.run_count)

    def answer(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "runs": self.run_count,
            "seed": self.seed,
            "loss_rate": self.loss_rate,
            "out_of_money_rate": self.out_of_money_rate,
            "precision": round(self.precision, 4),
            "result": self.result.answer(),
            "lowest": self.lowest.answer(),
            "lowest_month": self.lowest_month,
            "months": [
                {"month": number} | balance.answer()
                for number, balance in enumerate(self.balances, start=1)
            ],
        }


@dataclass(frozen=True)
class Dangers:
    """How many of the runs end in a loss, and in how many the reserve runs out, as shares."""

    loss_rate: float
    out_of_money_rate: float


def outlook(offer: Offer, run_count: int = RUN_COUNT, seed: int = SEED) -> Outlook:
    """What may become of the offer, by so many runs; the same seed draws the same runs."""
    parts = [_balances(offer, draws) for draws in _drawn(offer, run_count, seed)]
    balances = np.concatenate(parts, axis=1)
    final = balances[-1]
    lowest = np.minimum(balances.min(axis=0), 0)
    means = balances.mean(axis=1)
    return Outlook(
        run_count=run_count,
        seed=seed,
        balances=_ranges(balances),
        result=_ranges(final[None])[0],
        lowest=_ranges(lowest[None])[0],
        lowest_month=int(means.argmin()) + 1 if means.min() < 0 else 0,
        loss_rate=float((final < 0).mean()),
        out_of_money_rate=float((lowest < -offer.reserve_pence).mean()),
    )


def dangers(
    offers: Sequence[Offer], run_count: int = RUN_COUNT, seed: int = SEED
) -> tuple[Dangers, ...]:
    """The dangers of each offer over the same luck; offers alike in volume share their draws."""
    counted = np.zeros((len(offers), 2))
    alike: dict[tuple[Any, ...], list[int]] = {}
    for place, offer in enumerate(offers):
        alike.setdefault(_luck_of(offer), []).append(place)
    for places in alike.values():
        for draws in _drawn(offers[places[0]], run_count, seed):
            for place in places:
                balances = _balances(offers[place], draws)
                counted[place] += (
                    np.count_nonzero(balances[-1] < 0),
                    np.count_nonzero(
                        np.minimum(balances.min(axis=0), 0) < -offers[place].reserve_pence
                    ),
                )
    return tuple(Dangers(*map(float, row / run_count)) for row in counted)


def _ranges(values: Numbers) -> tuple[Range, ...]:
    low, high = np.quantile(values, (0.1, 0.9), axis=1)
    rows = zip(values.mean(axis=1), low, high, strict=True)
    return tuple(Range(*(round(float(value)) for value in row)) for row in rows)


@dataclass(frozen=True)
class _GroupDraws:
    """Clients by month of referral (rows) and run (columns): referred, and how far they get."""

    referred: Numbers
    reached: tuple[Numbers, Numbers, Numbers]


@dataclass(frozen=True)
class _Draws:
    groups: tuple[_GroupDraws, ...]
    tupe: Numbers  # uniform, one a run


def _luck_of(offer: Offer) -> tuple[Any, ...]:
    """What of an offer its draws depend on."""
    groups = tuple(
        (group.referrals_a_month, *(payment.chance for payment in group.payments))
        for group in offer.groups
    )
    return offer.months, offer.held.mean, offer.held.spread, offer.clumping, groups


def _drawn(offer: Offer, run_count: int, seed: int) -> Iterator[_Draws]:
    """The draws, some thousand runs at a time; each chunk has streams of its own."""
    for chunk, begun in enumerate(range(0, run_count, _CHUNK)):
        runs = min(_CHUNK, run_count - begun)
        whole = np.random.default_rng([seed, chunk, 0])
        factor = volume_factor(whole.random(_CHUNK), offer.held.mean, offer.held.spread)[:runs]
        tupe = whole.random(_CHUNK)[:runs]
        yield _Draws(
            tuple(
                _group_draws(np.random.default_rng([seed, chunk, 1 + place]), offer, group, factor)
                for place, group in enumerate(offer.groups)
            ),
            tupe,
        )


def volume_factor(chances: Numbers, mean: float, spread: float) -> Numbers:
    """The value that a gamma variable of that mean and spread is below with these chances."""
    if not (mean and spread):
        return np.full(chances.shape, mean)
    shape = (mean / spread) ** 2
    return numbers(special.gammaincinv(shape, chances) * (mean / shape))


def _group_draws(
    luck: np.random.Generator, offer: Offer, terms: GroupTerms, factor: Numbers
) -> _GroupDraws:
    chances = [payment.chance for payment in terms.payments]
    rate = np.broadcast_to(terms.referrals_a_month * factor, (offer.months, len(factor)))
    if not offer.clumping:
        return _as_forecast(luck, rate, chances)
    if offer.clumping > 1:
        over = offer.clumping - 1
        rate = luck.standard_gamma(rate / over) * over
    # Poisson clients who get so far and no further are Poisson and independent of each other:
    # four draws stand for the referrals and three thinnings of them.
    started, placed, stayed = chances
    third = _poisson(luck, rate, stayed)
    second = third + _poisson(luck, rate, placed - stayed)
    first = second + _poisson(luck, rate, started - placed)
    return _GroupDraws(first + _poisson(luck, rate, 1 - started), (first, second, third))


def _poisson(luck: np.random.Generator, rate: Numbers, part: float) -> Numbers:
    return numbers(luck.poisson(rate * part)) if part > 0 else np.zeros(rate.shape)


def _as_forecast(luck: np.random.Generator, rate: Numbers, chances: Sequence[float]) -> _GroupDraws:
    """Whole clients that keep up with the forecast so far, and binomial results."""
    so_far = np.floor(np.cumsum(rate, axis=0) + 1e-9)
    referred = np.diff(so_far, axis=0, prepend=0.0)
    reached = []
    before, chance_before = referred, 1.0
    for to_here in chances:
        left = min(to_here / chance_before, 1.0) if chance_before else 0.0
        before = numbers(luck.binomial(before.astype(np.int64), left))
        chance_before = to_here
        reached.append(before)
    return _GroupDraws(referred, (reached[0], reached[1], reached[2]))


def _balances(offer: Offer, draws: _Draws) -> Numbers:
    """All money so far at the end of each month (rows), by run (columns), in pence."""
    runs, wait = len(draws.tupe), offer.payment_months
    cash = np.zeros((offer.horizon_months, runs))
    cash[0] -= offer.start_up_cost_pence
    cash[: offer.months] -= offer.monthly_cost_pence
    cash[wait : wait + offer.months] += offer.service_fee_pence
    if offer.tupe_liability_pence:
        cash[offer.tupe_month - 1] -= (draws.tupe < offer.tupe_chance) * offer.tupe_liability_pence
    for terms, drawn in zip(offer.groups, draws.groups, strict=True):
        if offer.cost_per_client_pence:
            cash[: offer.months] -= offer.cost_per_client_pence * drawn.referred
        for payment, clients in zip(terms.payments, drawn.reached, strict=True):
            if payment.price_pence and payment.chance:
                _receive(cash, offer, payment, clients)
    return cash.cumsum(axis=0)


def _receive(cash: Numbers, offer: Offer, payment: Payment, clients: Numbers) -> None:
    """Add what the payments of one event bring, in the months in which the money arrives."""
    earned = _over_months(clients, payment.payment_count)
    if not offer.paid_after_end:
        earned = earned[: max(0, offer.months - payment.after_months)]
    first = payment.after_months + offer.payment_months
    cash[first : first + len(earned)] += payment.price_pence * earned


def _over_months(clients: Numbers, payment_count: int) -> Numbers:
    """How many payments fall in each month, if each client brings so many, a month apart."""
    if payment_count == 1:
        return clients
    ended = np.zeros((payment_count - 1, clients.shape[1]))
    begun = np.concatenate([clients, ended]).cumsum(axis=0)
    begun[payment_count:] -= begun[: len(begun) - payment_count].copy()
    return numbers(begun)


def in_words(balance: Range) -> str:
    """A range in words: £3,000 on average; between £1,000 and £5,000 in 8 runs of 10."""
    return (
        f"{whole_pounds(balance.mean_pence)} on average; between "
        f"{whole_pounds(balance.low_pence)} and {whole_pounds(balance.high_pence)} in 8 runs of 10"
    )


def whole_pounds(pence: int) -> str:
    """An amount that is no more certain than to the pound: £1,234, -£5, £0."""
    return pounds(round(pence, -2))


def chance_told(rate: float) -> str:
    """A chance found by runs in words: 12.3 %, less than 0.1 %, more than 99.9 %."""
    return "more than 99.9 %" if rate > 0.999 else chance(round(rate, 3))
