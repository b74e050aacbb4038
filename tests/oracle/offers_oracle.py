"""An offer again, month by month in loops over plain numbers, and one client after another.

Nothing of the product is used here. An offer is a dictionary, money is in pence as fractions.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

Terms = dict[str, Any]


def wait(days: int) -> int:
    """Months until money arrives: begun months of 30 days."""
    months = 0
    while 30 * months < days:
        months += 1
    return months


def cash_as_expected(offer: Terms, volume: Fraction) -> list[Fraction]:
    """What goes in and out each month, if exactly that share of the forecast comes."""
    cash = [Fraction(0)] * 600
    cash[0] -= offer["start_up"]
    cash[offer["tupe_month"] - 1] -= Fraction(offer["tupe_chance"]) * offer["tupe"]
    for month in range(offer["months"]):
        cash[month] -= offer["monthly"]
        cash[month + wait(offer["days"])] += offer["service_fee"]
        for group in offer["groups"]:
            clients = Fraction(group["referrals"]) * volume
            cash[month] -= clients * offer["per_client"]
            for event in group["events"]:
                for number in range(event["count"]):
                    earned = month + event["after"] + number
                    if earned < offer["months"] or offer["paid_after_end"]:
                        paid = clients * Fraction(event["chance"]) * event["price"]
                        cash[earned + wait(offer["days"])] += paid
    return cash


def result(offer: Terms, volume: Fraction) -> Fraction:
    return sum(cash_as_expected(offer, volume), Fraction(0))


def lowest(cash: list[Fraction]) -> Fraction:
    """The lowest balance at the end of a month, none above zero."""
    balance = worst = Fraction(0)
    for amount in cash:
        balance += amount
        worst = min(worst, balance)
    return worst


def break_even(offer: Terms) -> Fraction | None:
    """The share of the forecast at which nothing is left over, by halving; None if there is none.

    Only for offers that lose money without clients.
    """
    low, high = Fraction(0), Fraction(1)
    while result(offer, high) < 0:
        high *= 2
        if high > 10_000:
            return None
    for _ in range(40):
        middle = (low + high) / 2
        if result(offer, middle) < 0:
            low = middle
        else:
            high = middle
    return high


def turn_of_luck(offer: Terms, luck: random.Random, mean: float, spread: float) -> tuple[int, int]:
    """The result and the lowest balance of one run, client by client, clients one by one."""
    shape = (mean / spread) ** 2
    factor = luck.gammavariate(shape, mean / shape)
    delay = wait(offer["days"])
    cash = [0] * 600
    cash[0] -= offer["start_up"]
    if luck.random() < float(Fraction(offer["tupe_chance"])):
        cash[offer["tupe_month"] - 1] -= offer["tupe"]
    for month in range(offer["months"]):
        cash[month] -= offer["monthly"]
        cash[month + delay] += offer["service_fee"]
    for group in offer["groups"]:
        rate = float(Fraction(group["referrals"])) * factor
        events = [
            (float(Fraction(event["chance"])), event["after"], event["count"], event["price"])
            for event in group["events"]
        ]
        # The gaps between clients of a Poisson process are exponential.
        at = luck.expovariate(rate)
        while at < offer["months"]:
            month = int(at)
            at += luck.expovariate(rate)
            cash[month] -= offer["per_client"]
            fate = luck.random()  # decides how far: each event asks for a smaller number
            for chance, after, count, price in events:
                for earned in range(month + after, month + after + count):
                    if fate < chance and (earned < offer["months"] or offer["paid_after_end"]):
                        cash[earned + delay] += price
    balance = worst = 0
    for amount in cash:
        balance += amount
        worst = min(worst, balance)
    return balance, worst
