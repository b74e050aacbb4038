"""An answer among all of its programme: which signs stand when every agreement is counted.

The answers of a confidential contract are counted among themselves.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from metrics.evidence.multiplicity import adjusted_e_values, adjusted_probabilities
from metrics.wording import chance, count, evidence_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from metrics.clumping import Pool
    from metrics.evidence.arrays import Numbers
    from metrics.facts import Subject


def among_probabilities(
    found: Sequence[tuple[Subject, float | None]], limit: float
) -> list[dict[str, Any] | None]:
    """Each chance beside those of its programme (Benjamini-Hochberg); None without one or alone.

    `stands` says whether it is still at most `limit` when all that were assessed are counted.
    """
    return _standing(
        found, "adjusted_probability", adjusted_probabilities, lambda value: value <= limit
    )


def among_e_values(
    found: Sequence[tuple[Subject, float | None]], limit: float
) -> list[dict[str, Any] | None]:
    """Each e-value beside those of the same programme, by e-BH; None without one or alone.

    `stands` says whether it still reaches `limit` when all that were assessed are counted.
    """
    return _standing(found, "adjusted_e_value", adjusted_e_values, lambda value: value >= limit)


def _standing(
    found: Sequence[tuple[Subject, float | None]],
    name: str,
    adjust: Callable[[ArrayLike], Numbers],
    stands: Callable[[float], bool],
) -> list[dict[str, Any] | None]:
    places: dict[tuple[Pool, bool], list[tuple[int, float]]] = defaultdict(list)
    for place, (subject, value) in enumerate(found):
        if value is not None:
            places[subject.pool, subject.subcontractor_id is None].append((place, value))
    standing: list[dict[str, Any] | None] = [None] * len(found)
    for ((programme, contract_id), _), mine in places.items():
        if len(mine) == 1:
            continue  # nothing to be counted among
        adjusted = adjust([value for _, value in mine]).tolist()
        for (place, _), value in zip(mine, adjusted, strict=True):
            standing[place] = {
                "programme": programme,
                "assessed": len(mine),
                name: value,
                "stands": stands(value),
            } | ({"of": "contract"} if contract_id else {})
    return standing


def standing_sentence(standing: dict[str, Any]) -> str:
    """Whether a raised sign stands among all of its programme, in a sentence."""
    whole = standing.get("of", "programme")
    among = f"Counted among the {count(standing['assessed'], 'answer')} of its {whole}"
    if "adjusted_e_value" in standing:
        size = f"its evidence comes to {evidence_size(standing['adjusted_e_value'])}"
    else:
        size = f"its chance comes to {chance(standing['adjusted_probability'])}"
    if standing["stands"]:
        return f"{among}, {size}, and the sign stands."
    return (
        f"{among}, {size}, short of what is asked: the sign is strong enough by itself, but not "
        "as one of so many that were looked at."
    )
