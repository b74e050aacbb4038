"""What may leave a scope: which figures are shown, which are rounded, which are hidden and why.

Persons and organisations' terms are protected differently.

*Counts of clients.* A count from 1 to 7 is hidden, others are rounded to the nearest 5, and 0 is
shown: it is about an organisation. Where a 0 would tell what became of a few clients it is hidden
too. A total is hidden where it would give a hidden count away.

*Terms and money.* A figure is shown if it rests on enough sources, none of which weighs too much,
and is rounded so that no source's own value can be worked out from it.

Hiding and rounding are judged by a *witness*: a hidden value is safe if another one, at least as
far away as the rule says, leaves every figure shown - now and in earlier releases - as it is.
Whoever knows all the other values cannot tell the two apart, so neither can anyone who knows less
(the attacker's problem of cell suppression: Willenborg and de Waal, Elements of Statistical
Disclosure Control, 2001; Hundepool and others, Statistical Disclosure Control, 2012, chapter 4;
here with a sufficient condition in closed form, which needs no linear programme).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from fractions import Fraction

    from metrics.rules import Rules

Reason = Literal["few_people", "few_sources", "one_source", "given_away"]

REASONS: Mapping[Reason, str] = {
    "few_people": "Fewer than 8 clients, or a total that would tell of so few.",
    "few_sources": "Fewer subcontractors stand behind it than are needed to hide each of them.",
    "one_source": "One or two subcontractors make up so much of it that it would tell their own.",
    "given_away": "Together with what was published before it would tell a subcontractor's own.",
}

Unit = Literal["share", "volume", "days"]

# Up to which value the rounding alone protects every source of a figure shown once.
_USUAL: Mapping[Unit, float] = {"share": 1.0, "volume": 1.5, "days": 60.0}
_COARSER = (1, 2, 5, 10)


@dataclass(frozen=True)
class Disclosed:
    """A figure as it may be shown: its value, or why there is none. Hidden is never 0."""

    value: float | None
    hidden: Reason | None = None


@dataclass(frozen=True)
class Policy:
    """The rules of disclosure in force, from the register; they can be made stricter only.

    `hidden_count` is the largest count of clients that is hidden and `count_step` what others are
    rounded to; `share_step` and `days_step` are the finest rounding of means; `protection` is how
    near to its true value a source must not be worked out, as a share of it.
    """

    hidden_count: int
    count_step: int
    source_count: int
    largest_share: Fraction
    two_largest_share: Fraction
    protection: Fraction
    age_months: int
    share_step: Fraction
    days_step: Fraction


def policy_of(rules: Rules) -> Policy:
    """The policy that the rules in force make."""

    def whole(rule_id: str) -> int:
        return int(rules[rule_id].value)

    return Policy(
        hidden_count=whole("disclosure_clients"),
        count_step=whole("disclosure_rounding"),
        source_count=whole("disclosure_sources"),
        largest_share=rules["disclosure_largest_source"].value,
        two_largest_share=rules["disclosure_two_largest"].value,
        protection=rules["disclosure_protection"].value,
        age_months=whole("disclosure_months"),
        share_step=rules["disclosure_share_rounding"].value,
        days_step=rules["disclosure_days_rounding"].value,
    )


# Counts of clients

Cell = tuple[str, str, str]  # what it is about, of whom, and when


def rounded_count(count: int, step: int) -> int:
    """The nearest multiple of the step; halfway goes up."""
    return (2 * count + step) // (2 * step) * step


@dataclass(frozen=True)
class Total:
    """A sum of counts that may be shown beside them; what has a lower rank is hidden first."""

    key: Cell
    parts: frozenset[Cell]
    rank: int


@dataclass(frozen=True)
class PastTotal:
    """A total that was shown in an earlier release, the counts in it then, and its step."""

    parts: Mapping[Cell, int]
    step: int

    @property
    def count(self) -> int:
        """The sum it stood for."""
        return sum(self.parts.values())


def _moves(count: int, step: int) -> tuple[bool, bool]:
    """Whether a sum that is shown rounded would look the same with one client more, or fewer."""
    shown = rounded_count(count, step)
    return rounded_count(count + 1, step) == shown, rounded_count(count - 1, step) == shown


def disclosed_counts(
    cells: Mapping[Cell, int],
    totals: Sequence[Total],
    policy: Policy,
    past: Iterable[PastTotal] = (),
    few_behind: frozenset[Cell] = frozenset(),
) -> dict[Cell, Disclosed]:
    """Every count and total as it may be shown, by key.

    `few_behind` are the cells whose 0 is about few clients. For every hidden cell there is then a
    count one off that leaves all that is shown, now or in the `past`, as it is.
    """
    step = policy.count_step
    found: dict[Cell, Disclosed] = {}
    for key, count in cells.items():
        found[key] = _alone(count, policy, hides_zero=key in few_behind)
    shown: dict[Cell, tuple[int, Total]] = {}
    for total in totals:
        count = sum(cells[part] for part in total.parts)
        empty_of_few = count == 0 and bool(total.parts & few_behind)
        found[total.key] = _alone(count, policy, hides_zero=empty_of_few)
        if found[total.key].hidden is None:
            shown[total.key] = count, total
    earlier = list(past)
    for key in sorted((key for key in cells if found[key].hidden), key=str):
        count = cells[key]
        lowest = 0 if key in few_behind else 1
        up, down = count < policy.hidden_count, count > lowest
        for one in earlier:
            if one.parts.get(key) == count:
                more, fewer = _moves(one.count, one.step)
                up, down = up and more, down and fewer
        with_it = [one for one in shown.values() if key in one[1].parts]
        against_up = [one for one in with_it if not _moves(one[0], step)[0]]
        against_down = [one for one in with_it if not _moves(one[0], step)[1]]
        ways = [way for way, possible in ((against_up, up), (against_down, down)) if possible]
        # What went before left a way open for each; without one, no total stays.
        for _, total in min(ways, key=_loss) if ways else with_it:
            found[total.key] = Disclosed(None, "few_people")
            del shown[total.key]
    return found


def _alone(count: int, policy: Policy, *, hides_zero: bool) -> Disclosed:
    if 0 < count <= policy.hidden_count or (count == 0 and hides_zero):
        return Disclosed(None, "few_people")
    return Disclosed(rounded_count(count, policy.count_step))


def _loss(totals: Sequence[tuple[int, Total]]) -> int:
    return sum(total.rank for _, total in totals)


# Terms and money


@dataclass(frozen=True)
class Contribution:
    """What one source brings to a mean: its value and its weight, above 0.

    `source_id` is whom it is about and `subject_id` under whom: one subcontractor's terms with
    two primes are two secrets of one source. `part` tells several of them apart, such as the
    client group of a price.
    """

    subject_id: str
    source_id: str
    value: float
    weight: float = 1.0
    part: str = ""


@dataclass(frozen=True)
class Mean:
    """A weighted mean as it is shown: rounded to a step of its unit."""

    contributions: tuple[Contribution, ...]
    unit: Unit
    step: Fraction

    @property
    def source_count(self) -> int:
        """How many subcontractors stand behind it."""
        return len({one.source_id for one in self.contributions})

    @property
    def exact(self) -> float:
        """The mean before rounding."""
        weights = math.fsum(one.weight for one in self.contributions)
        return math.fsum(one.value * one.weight for one in self.contributions) / weights

    @property
    def shown(self) -> float:
        """The nearest multiple of the step; halfway goes up."""
        return float(math.floor(self.exact / float(self.step) + 0.5) * self.step)

    def room(self) -> tuple[float, float]:
        """How far the mean could rise or fall and be shown as the same."""
        half = float(self.step) / 2
        return max(0.0, self.shown + half - self.exact), max(0.0, self.exact - self.shown + half)

    def secrets(self) -> dict[tuple[str, ...], Secret]:
        """What must not be worked out: each part of each source, and each source's parts together.

        Together, since whoever knows that a prime pays the same for all client groups looks for
        one number.
        """
        whole = math.fsum(one.weight for one in self.contributions)
        summed: dict[tuple[str, ...], tuple[float, float]] = {}
        for one in self.contributions:
            together = one.subject_id, one.source_id
            for key in (together, (*together, one.part)):
                value, weight = summed.get(key, (0.0, 0.0))
                summed[key] = value + one.value * one.weight, weight + one.weight
        return {
            key: Secret(value / weight, weight / whole) for key, (value, weight) in summed.items()
        }


@dataclass(frozen=True)
class Secret:
    """A source's own value in a mean, and its share of the weight."""

    value: float
    share: float


def disclosed_mean(mean: Mean, policy: Policy, past: Iterable[Mean] = ()) -> Disclosed:
    """The mean as it may be shown beside the `past` ones of the same measure that were shown.

    Hidden if fewer than the asked number of sources stand behind it, if one weighs more than its
    largest share, the two largest more than theirs, or the rest so little that the second could
    work out the first (the p % rule); or if some source's own value could be worked out to within
    the protection by one who knows all the others. A past value counts as the same secret while
    it is that near to the present one.
    """
    reason = too_few_or_too_large(mean.contributions, policy)
    if reason:
        return Disclosed(None, reason)
    earlier = [(one.room(), one.secrets()) for one in past]
    rise, fall = mean.room()
    for key, secret in mean.secrets().items():
        distance = _distance(secret.value, mean.unit, policy)
        up, down = rise / secret.share, fall / secret.share
        for room, secrets in earlier:
            before = secrets.get(key)
            if before is not None and abs(before.value - secret.value) <= distance:
                up, down = min(up, room[0] / before.share), min(down, room[1] / before.share)
        if max(up, down) < distance:
            return Disclosed(None, "given_away")
    return Disclosed(mean.shown)


def disclosed_figure(
    contributions: Sequence[Contribution], unit: Unit, policy: Policy, past: Sequence[Mean] = ()
) -> tuple[Mean, Disclosed]:
    """The mean, rounded as finely as its sources bear, and how it may be shown.

    By the weights alone a step is chosen that protects every source of a figure shown once; it is
    made coarser where the `past` figures ask for it.
    """
    finest = policy.days_step if unit == "days" else policy.share_step
    means = [Mean(tuple(contributions), unit, finest * factor) for factor in _COARSER]
    largest = max(one.share for one in means[0].secrets().values())
    least = 2 * float(policy.protection) * _USUAL[unit] * largest
    coarse_enough = [one for one in means if float(one.step) >= least * (1 - 1e-9)] or means[-1:]
    for mean in coarse_enough:
        disclosed = disclosed_mean(mean, policy, past)
        if disclosed.hidden != "given_away":
            break
    return mean, disclosed


def too_few_or_too_large(contributions: Sequence[Contribution], policy: Policy) -> Reason | None:
    """Why a mean is hidden whatever its value; None if it is not."""
    weights: dict[str, float] = {}
    for one in contributions:
        weights[one.source_id] = weights.get(one.source_id, 0.0) + one.weight
    if len(weights) < policy.source_count:
        return "few_sources"
    largest, second, *rest = sorted(weights.values(), reverse=True)
    whole = math.fsum(weights.values())
    near = 1 + 1e-9  # five equal weights are a fifth each, whatever their sum was rounded to
    if (
        largest > float(policy.largest_share) * whole * near
        or largest + second > float(policy.two_largest_share) * whole * near
        or math.fsum(rest) * near < float(policy.protection) * largest
    ):
        return "one_source"
    return None


def _distance(value: float, unit: Unit, policy: Policy) -> float:
    """How far off a source's value must stay: of a share, both it and what it leaves of 1."""
    size = max(abs(value), abs(1 - value)) if unit == "share" else abs(value)
    return float(policy.protection) * size
