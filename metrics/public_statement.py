"""What anybody is told of a flag that was published: what it says, and no figure behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metrics.catalogue import flags
from metrics.wording import share

if TYPE_CHECKING:
    from collections.abc import Mapping


def public_statement(answer: Mapping[str, Any]) -> str:
    """The statement of an answer as `Assessment.answer` has it.

    The figures of one agreement are its parties': a fee would tell a price, a count some clients.
    """
    flag = next(one for one in flags() if one.id == answer["flag"])
    limit, way = share(answer["threshold"]), "fewer" if (answer["value"] or 0) < 0 else "more"
    return flag.in_public.format(limit=limit, way=way)
