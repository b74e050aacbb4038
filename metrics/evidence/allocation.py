"""What the prime's allocation says: a part of its intake against a share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from metrics.evidence.arrays import numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from metrics.evidence.arrays import Numbers, Side

_LAST = 1e-17  # of a sum: a term below it adds nothing


def binomial_tail(
    observed: ArrayLike,
    trials: ArrayLike,
    share: ArrayLike,
    side: Side,
    overdispersion: ArrayLike = 1.0,
) -> Numbers:
    """Probability of so few (shortfall: X <= O) or so many (excess: X >= O) of N at a share s.

    Exact binomial, as the regularised incomplete beta function (NIST DLMF 8.17.5). O may exceed
    N where two sides disagree: then so few is certain and so many impossible. Clients that come
    in clumps of D count as O / D of N / D.
    """
    o, n, s, d = np.broadcast_arrays(
        *(numbers(values) for values in (observed, trials, share, overdispersion))
    )
    inside = (o < n) if side == "shortfall" else (o > 0) & (o <= n)
    few, all_of, rest = (np.where(inside, values / d, 1.0) for values in (o, n, n - o))
    if side == "shortfall":
        tail = special.betainc(rest, few + 1, 1 - s)
        return numbers(np.where(inside, tail, 1.0))
    tail = special.betainc(few, all_of - few + 1, s)
    return numbers(np.where(inside, tail, np.where(o <= 0, 1.0, 0.0)))


def hypergeometric_tails(
    observed: ArrayLike, drawn: ArrayLike, marked: ArrayLike, all_of: ArrayLike
) -> tuple[Numbers, Numbers]:
    """Probability of so few and of so many marked clients among those drawn, by Fisher's test.

    Of `all_of` clients `marked` are of one group; `drawn` of them went to the subcontractor, and
    `observed` of those are of the group. The tail away from the mean is summed term by term, each
    from the one before, until nothing more is added, so that a very small chance keeps its digits;
    the other tail is what is left of 1. Good to eight digits at a million clients.
    """
    x, n, k, m = (
        values.ravel()
        for values in np.broadcast_arrays(
            *(numbers(values) for values in (observed, drawn, marked, all_of))
        )
    )
    shape = np.broadcast_shapes(*(np.shape(v) for v in (observed, drawn, marked, all_of)))
    first, last = np.maximum(0.0, n + k - m), np.minimum(n, k)
    at = np.exp(_log_choose(k, x) + _log_choose(m - k, n - x) - _log_choose(m, n))
    low = x * m <= n * k
    # A short tail of many marked is one of few unmarked, so one direction of summing is enough.
    marked_below = np.where(low, k, m - k)
    term, place = at.copy(), np.where(low, x, n - x)
    end = np.where(low, first, n - last)
    tail = at.copy()
    going = np.flatnonzero(place > end)
    while going.size:
        y, these = place[going], marked_below[going]
        rest = m[going] - these - n[going] + y
        term[going] *= y * rest / ((these - y + 1) * (n[going] - y + 1))
        tail[going] += term[going]
        place[going] -= 1
        going = going[(place[going] > end[going]) & (term[going] > _LAST * tail[going])]
    tail = np.minimum(tail, 1.0)
    other = np.clip(1.0 - tail + at, 0.0, 1.0)
    few, many = np.where(low, tail, other), np.where(low, other, tail)
    return few.reshape(shape), many.reshape(shape)


def _log_choose(n: ArrayLike, k: ArrayLike) -> Numbers:
    a, b = numbers(n), numbers(k)
    return numbers(special.gammaln(a + 1) - special.gammaln(b + 1) - special.gammaln(a - b + 1))
