"""Exact statistics for small counts, on arrays: O observed, E expected, N intake, s share.

Everything takes and gives arrays of float (one element per agreement or contract); scalars work
too. Only `scipy.special` is used: `scipy.stats` gives the same numbers and takes a second to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

Side = Literal["shortfall", "excess"]

THETAS = np.arange(1, 20) / 20  # .05, .10 ... .95
LARGEST = 1e300  # an e-value above this is given as this, so that every answer can be written


def zero_probability(expected: ArrayLike) -> Numbers:
    """P(O = 0) when E referrals were expected: exp(-E), the Poisson law.

    It falls below 5 % at E = 2.996.
    """
    return np.exp(-_numbers(expected))


def poisson_interval(observed: ArrayLike, level: float) -> tuple[Numbers, Numbers]:
    """Lower and upper bound for the mean of a Poisson count, by Garwood (1936).

    Exact: the bounds cover the true mean in at least `level` of cases. Half the chi-squared
    quantiles with 2 O and 2 O + 2 degrees of freedom, here as inverse incomplete gamma functions.
    """
    counts = _numbers(observed)
    tail = (1 - level) / 2
    lower = np.where(counts > 0, special.gammaincinv(np.maximum(counts, 1), tail), 0.0)
    return lower, _numbers(special.gammaincinv(counts + 1, 1 - tail))


def log_e_value(observed: ArrayLike, expected: ArrayLike, tolerance: float, side: Side) -> Numbers:
    """Natural logarithm of the evidence that the count left the band round its expectation.

    The e-value is the mean over theta in {.05, .10 ... .95} of theta^O exp((1 - theta) L), with
    L = (1 - tolerance) E for a shortfall; for an excess over 1/theta with L = (1 + tolerance) E.
    If the true rate is inside the band, it ever reaches 1/a with probability a at most (Ville's
    inequality), however often one looks.
    """
    thetas = THETAS if side == "shortfall" else 1 / THETAS
    factor = 1 - tolerance if side == "shortfall" else 1 + tolerance
    counts = _numbers(observed)[..., np.newaxis]
    means = factor * _numbers(expected)[..., np.newaxis]
    return _numbers(
        special.logsumexp(counts * np.log(thetas) + (1 - thetas) * means, axis=-1)
        - np.log(len(thetas))
    )


def e_value(log_value: ArrayLike) -> Numbers:
    """The e-value of a logarithm, at most `LARGEST`."""
    return np.minimum(np.exp(np.minimum(_numbers(log_value), 700.0)), LARGEST)


def binomial_tail(observed: ArrayLike, trials: ArrayLike, share: ArrayLike, side: Side) -> Numbers:
    """Probability of so few (shortfall: X <= O) or so many (excess: X >= O) of N at a share s.

    Exact binomial, as the regularised incomplete beta function (NIST DLMF 8.17.5). O may exceed
    N where two sides disagree: then so few is certain and so many impossible.
    """
    o, n, s = np.broadcast_arrays(_numbers(observed), _numbers(trials), _numbers(share))
    if side == "shortfall":
        inside = o < n
        tail = special.betainc(np.where(inside, n - o, 1), np.where(inside, o + 1, 1), 1 - s)
        return np.where(inside, tail, 1.0)
    inside = (o > 0) & (o <= n)
    tail = special.betainc(np.where(inside, o, 1), np.where(inside, n - o + 1, 1), s)
    return np.where(inside, tail, np.where(o <= 0, 1.0, 0.0))


def _numbers(values: Any) -> Numbers:
    return np.asarray(values, dtype=np.float64)
