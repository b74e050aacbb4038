"""The arrays that evidence is worked out on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

Side = Literal["shortfall", "excess"]


def numbers(values: Any) -> Numbers:
    """The values as an array of float."""
    return np.asarray(values, dtype=np.float64)
