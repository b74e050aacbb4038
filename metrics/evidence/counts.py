"""What a count says: the chance of a zero, and the interval for the mean behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from metrics.evidence.arrays import numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from metrics.evidence.arrays import Numbers

_POISSON = 1 + 1e-9  # below it the formulae for clumps lose their digits


def zero_probability(expected: ArrayLike, overdispersion: ArrayLike = 1.0) -> Numbers:
    """P(O = 0) when E referrals were expected: exp(-E), or D^(-E / (D - 1)) at overdispersion D.

    The second is the negative binomial law whose variance is D times its mean. The chance falls
    below 5 % at E = 2.996 for D = 1, and at 4.322 for D = 2.
    """
    e, d = np.broadcast_arrays(numbers(expected), numbers(overdispersion))
    clumped = d > _POISSON
    rate = np.where(clumped, np.log(d) / np.where(clumped, d - 1, 1), 1.0)
    return numbers(np.exp(-e * rate))


def count_interval(
    observed: ArrayLike, level: float, overdispersion: ArrayLike = 1.0
) -> tuple[Numbers, Numbers]:
    """Lower and upper bound for the mean behind a count.

    Exact: the bounds cover the true mean in at least `level` of cases. At overdispersion 1 they
    are those of Garwood (1936), half the chi-squared quantiles with 2 O and 2 O + 2 degrees of
    freedom, here as inverse incomplete gamma functions. At D they turn the tails of the negative
    binomial law round in the same way: its distribution function is an incomplete beta function
    (NIST DLMF 8.17.24), solved for the mean.
    """
    o, d = np.broadcast_arrays(numbers(observed), numbers(overdispersion))
    tail = (1 - level) / 2
    lower, upper = np.zeros(o.shape), np.zeros(o.shape)
    for clumped in (False, True):
        chosen = (d > _POISSON) == clumped
        # Counts are small whole numbers: each distinct one is worked out once.
        pairs, place = np.unique(o[chosen] + 1j * d[chosen], return_inverse=True)
        low, high = _bounds(pairs.real, pairs.imag if clumped else None, tail)
        lower[chosen], upper[chosen] = low[place], high[place]
    return lower, upper


def _bounds(counts: Numbers, spread: Numbers | None, tail: float) -> tuple[Numbers, Numbers]:
    some = np.maximum(counts, 1)
    if spread is None:
        low = special.gammaincinv(some, tail)
        high = special.gammaincinv(counts + 1, 1 - tail)
    else:
        low = special.btdtria(1 - tail, some, 1 / spread) * (spread - 1)
        high = special.btdtria(tail, counts + 1, 1 / spread) * (spread - 1)
    return numbers(np.where(counts > 0, low, 0.0)), numbers(high)


def highest_rate_without_any(months: ArrayLike, level: float) -> Numbers:
    """The most referrals a month that a run of months without any still allows (one-sided).

    The rule of three: -ln(1 - level) / T, which is 3.00 / T at 95 %.
    """
    return numbers(-np.log(1 - level) / numbers(months))
