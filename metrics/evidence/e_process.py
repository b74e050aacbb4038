"""Evidence that may be looked at every month: e-processes on the sums so far.

If what is doubted holds, an e-value ever reaches 1/a with probability a at most (Ville's
inequality), however often one looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metrics.evidence.arrays import numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from metrics.evidence.arrays import Numbers, Side

THETAS = np.arange(1, 20) / 20  # .05, .10 ... .95
LARGEST = 1e300  # an e-value above this is given as this, so that every answer can be written


def log_e_value(
    observed: ArrayLike,
    expected: ArrayLike,
    tolerance: float,
    side: Side,
    overdispersion: ArrayLike = 1.0,
) -> Numbers:
    """Natural logarithm of the evidence that the count left the band round its expectation.

    The e-value is the mean over theta in {.05, .10 ... .95} of theta^O exp((1 - theta) L), with
    L = (1 - tolerance) E for a shortfall; for an excess over 1/theta with L = (1 + tolerance) E.
    It doubts that the true rate is inside the band.

    At overdispersion D each theta becomes the likelihood ratio of the negative binomial law whose
    mean is theta L: z^O (D / (1 + theta (D - 1)))^(L / (D - 1)), z = theta D / (1 + theta (D - 1)).
    That is exact for clumps whose sizes follow the logarithmic law, and tends to the first formula
    as D tends to 1.
    """
    thetas = THETAS if side == "shortfall" else 1 / THETAS
    factor = 1 - tolerance if side == "shortfall" else 1 + tolerance
    shape = np.broadcast_shapes(np.shape(observed), np.shape(expected), np.shape(overdispersion))
    total = np.full(shape, -np.inf)
    counts, means = numbers(observed), factor * numbers(expected)
    d = numbers(overdispersion)
    excess = d - 1
    clumped = excess > 1e-9
    for theta in thetas:  # one at a time: nineteen arrays at once would fill the memory
        spread = 1 + theta * excess
        weight = np.log(theta * d / spread)
        slope = np.where(clumped, np.log(d / spread) / np.where(clumped, excess, 1), 1 - theta)
        np.logaddexp(total, counts * weight + slope * means, out=total)
    return numbers(total - np.log(len(thetas)))


def log_e_value_given_intake(
    observed: ArrayLike,
    intake: ArrayLike,
    share: ArrayLike,
    side: Side,
    overdispersion: ArrayLike = 1.0,
) -> Numbers:
    """Natural logarithm of the evidence that the share received was not the share promised.

    The mean over theta of theta^O ((1 - theta s) / (1 - s))^(N - O): how much better N clients, of
    which O came, fit a share of theta s than the share s. Because it is conditional on the intake,
    a commissioner that sends fewer clients than forecast does not feed it. For an excess it is
    over 1/theta, as far as s / theta stays below 1 (nothing to compare: 0). Clients that come in
    clumps of D count as N / D. A share of 0 or 1 leaves nothing to compare: evidence of nothing
    (0), unless the count itself is impossible under it (the largest).
    """
    shape = np.broadcast_shapes(
        np.shape(observed), np.shape(intake), np.shape(share), np.shape(overdispersion)
    )
    o, n, s, d = (
        np.broadcast_to(numbers(values), shape)
        for values in (observed, intake, share, overdispersion)
    )
    possible = (s > 0) & (s < 1)
    p = np.where(possible, s, 0.5)
    total, compared = np.full(shape, -np.inf), np.zeros(shape)
    rest = np.maximum(n - o, 0)  # two sides may disagree, and O exceed N
    for theta in THETAS if side == "shortfall" else 1 / THETAS:
        fits = theta * p < 1
        share_then = np.where(fits, theta * p, p)
        ratio = np.log(share_then / p), np.log((1 - share_then) / (1 - p))
        better = np.where(fits, (o * ratio[0] + rest * ratio[1]) / d, -np.inf)
        np.logaddexp(total, better, out=total)
        compared += fits
    total = np.where(compared > 0, total - np.log(np.maximum(compared, 1)), 0.0)
    impossible = ((s >= 1) & (o < n)) if side == "shortfall" else ((s <= 0) & (o > 0))
    return numbers(np.where(possible, total, np.where(impossible, np.log(LARGEST), 0.0)))


def e_value(log_value: ArrayLike) -> Numbers:
    """The e-value of a logarithm, at most `LARGEST`."""
    return np.minimum(np.exp(np.minimum(numbers(log_value), 700.0)), LARGEST)
