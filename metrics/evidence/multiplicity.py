"""Many agreements looked at together: which signs stand when all of them are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metrics.evidence.arrays import numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from metrics.evidence.arrays import Numbers


def adjusted_probabilities(probabilities: ArrayLike) -> Numbers:
    """Benjamini and Hochberg's adjusted probability of each: 5 % of those at most .05 are false.

    Of m sorted probabilities the i-th becomes the least of p_j m / j over j >= i (1995).
    """
    p = numbers(probabilities)
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def adjusted_e_values(e_values: ArrayLike) -> Numbers:
    """The e-BH e-value of each: where it is at least 1/a, at most a of those named are false.

    Of m e-values sorted from the largest the i-th becomes the greatest of e_j j / m over j >= i
    (Wang and Ramdas, 2022). It holds whatever the dependence between agreements.
    """
    e = numbers(e_values)
    order = np.argsort(-e, kind="stable")
    scaled = e[order] * np.arange(1, len(e) + 1) / len(e)
    adjusted = np.empty_like(e)
    adjusted[order] = np.maximum.accumulate(scaled[::-1])[::-1]
    return adjusted
