"""One offer weighed: what is expected, what may happen, what to negotiate, what is not promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metrics.offer_expectation import (
    break_even_sentence,
    expectation,
    implied_management_fee,
    pounds_of,
    stated_against_prices,
)
from metrics.offer_negotiation import effects
from metrics.offer_outlook import chance_told, in_words, outlook
from metrics.offer_promises import not_firm
from metrics.offer_runs import RUN_COUNT, SEED
from metrics.wording import count, pounds, share

if TYPE_CHECKING:
    from metrics.offer import Offer
    from metrics.offer_expectation import Expectation
    from metrics.offer_negotiation import Effect
    from metrics.offer_outlook import Outlook
    from metrics.offer_promises import Gap


@dataclass(frozen=True)
class Weighing:
    """All that is said of one offer."""

    offer: Offer
    expected: Expectation
    outlook: Outlook
    effects: tuple[Effect, ...]
    not_firm: tuple[Gap, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The answer in words, the most important first."""
        expected, found = self.expected, self.outlook
        left = expected.result_pence
        over = f"{pounds_of(left)} is left over" if left >= 0 else f"a loss of {pounds_of(-left)}"
        told = [
            f"If all goes as expected it brings {pounds_of(expected.income_pence)} and costs "
            f"{pounds_of(expected.cost_pence)}: {over}.",
            f"The chance of a loss is {chance_told(found.loss_rate)}. The chance of running out of "
            f"the reserve of {pounds(self.offer.reserve_pence)} is "
            f"{chance_told(found.out_of_money_rate)}.",
        ]
        if expected.income_per_client_pence is not None:
            told.append(
                f"A client brings {pounds_of(expected.income_per_client_pence)} on average, the "
                "service fee among it."
            )
        told.append(break_even_sentence(expected))
        if found.lowest_month:
            told.append(
                f"On average the money tied up is highest at the end of month "
                f"{found.lowest_month}. Lowest balance of a run: {in_words(found.lowest)}."
            )
        else:
            told.append("On average no money of yours is tied up at the end of any month.")
        told.append(self.offer.held.sentence)
        told += stated_against_prices(self.offer, expected)
        told.append(
            f"By {count(found.run_count, 'run')} with seed {found.seed}: by luck alone the chances "
            f"may be off by up to {share(found.precision)}."
        )
        return tuple(told)

    def answer(self) -> dict[str, Any]:
        """The whole answer as JSON; money in whole pence."""
        fee = implied_management_fee(self.offer)
        return {
            "offer": self.offer.name,
            "sentences": list(self.sentences),
            "expected": self.expected.answer(),
            "implied_management_fee": None if fee is None else round(float(fee), 4),
            "forecast_kept": self.offer.held.answer(),
            "outlook": self.outlook.answer(),
            "effects": [effect.answer() for effect in self.effects],
            "not_firmly_promised": [gap.answer() for gap in self.not_firm],
        }


def weigh(offer: Offer, run_count: int = RUN_COUNT, seed: int = SEED) -> Weighing:
    """The offer weighed by so many runs; the same seed gives the same answer."""
    return Weighing(
        offer,
        expectation(offer),
        outlook(offer, run_count, seed),
        effects(offer, run_count, seed),
        not_firm(offer),
    )
