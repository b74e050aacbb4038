"""What of an answer is left out for somebody who may see the answer, but not all it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics.flags import management_fee, payment_delay, unreconciled

if TYPE_CHECKING:
    from data.scope import Reach
    from metrics.definition import Assessment


def redacted(found: Assessment, reach: Reach) -> Assessment:
    """The answer as far as it is the asker's; by the register's rules its status always stands.

    Left out are clients shared with another subcontractor of the contract, for a subcontractor;
    and for a commissioner to whom subcontractors' prices are not shown, what would give a price
    away: every sum but its own, and the fee unless it is rounded and over enough events.
    """
    whole = reach.sees(found.contract_id, None)
    if not whole and found.flag == unreconciled.FLAG.id:
        return unreconciled.without_shared_clients(found)
    if reach.sees_prices(found.contract_id):
        return found
    if found.flag == management_fee.FLAG.id:
        return management_fee.without_prices(found)
    if found.flag == payment_delay.FLAG.id:
        return payment_delay.without_claim(found)
    return found
