"""Who may know which canary, in plain words of Python; it shares no code with the product.

It reads the registers as they were written, and what the issue says of each role. `None` is
nobody: somebody without a session or token, and the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.canary.chain import Amount, Canary, World

NOBODY = None


class Oracle:
    """What each organisation may know."""

    def __init__(self, world: World):
        self.world = world

    def commissioner(self, contract_id: str) -> str:
        """Who buys."""
        return self.world.contracts[contract_id][0]

    def prime(self, contract_id: str) -> str:
        """Who holds the contract."""
        return self.world.contracts[contract_id][1]

    def is_party(self, who: str, contract_id: str) -> bool:
        """Whether somebody has any part in a contract."""
        return who in self.world.contracts[contract_id] or (
            (contract_id, who) in self.world.agreements
        )

    def sees_agreement(self, who: str, contract_id: str, subcontractor_id: str) -> bool:
        """Whether somebody is commissioner or prime of the contract, or the subcontractor meant."""
        return who in self.world.contracts[contract_id] or who == subcontractor_id != ""

    def knows(self, who: str, other: str) -> bool:
        """Whether two organisations have to do with each other in any contract."""
        if other in (who, self.world.network):
            return True
        for contract_id, holders in self.world.contracts.items():
            subcontractors = {by for c, by in self.world.agreements if c == contract_id}
            if who in holders and other in {*holders, *subcontractors}:
                return True
            if who in subcontractors and other in holders:
                return True
        return False

    def may_know(self, who: str | None, canary: Canary, *, published: bool = False) -> bool:
        """Whether somebody may be told a canary; `published` where anybody may look."""
        if canary.kind in ("client", "secret"):
            return False
        if published and self._is_published(canary):
            return True
        if who is NOBODY:
            return False
        if who == self.world.network:
            return True
        contract_id, subcontractor_id = canary.contract_id, canary.subcontractor_id
        match canary.kind:
            case "organisation":
                return self.knows(who, canary.organisation_id)
            case "contract":
                return self.is_party(who, contract_id)
            case "agreement" | "case":
                return self.sees_agreement(who, contract_id, subcontractor_id)
            case "held case":
                return who == subcontractor_id
            case "row":
                return who == canary.reporter_id or (
                    self.sees_agreement(who, contract_id, subcontractor_id)
                )
            case "file":
                return who == canary.reporter_id
            case "return":
                return who == canary.reporter_id or any(
                    self.sees_agreement(who, *pair) for pair in canary.pairs
                )
            case "person" | "program":
                return who == canary.organisation_id
            case "arrangement":
                return self._made_or_may(who, canary)
        raise AssertionError(canary.kind)

    def _made_or_may(self, who: str, canary: Canary) -> bool:
        """An arrangement is known to those who may make it."""
        if canary.what == "confidential":
            return who == self.commissioner(canary.contract_id)
        return canary.what == "ask_first" and who == canary.organisation_id

    def _is_published(self, canary: Canary) -> bool:
        """Whether it is part of what the network published: who, what, and the replies."""
        for contract_id, subcontractor_id in self.world.published:
            parties = {self.prime(contract_id), self.commissioner(contract_id), subcontractor_id}
            if canary.kind == "organisation" and canary.organisation_id in parties:
                return True
            if canary.kind == "contract" and canary.what == "id":
                known = canary.contract_id == contract_id
            else:
                about = (canary.contract_id, canary.subcontractor_id)
                known = canary.kind == "case" and about == (contract_id, subcontractor_id)
            if known:
                return True
        return False

    def may_know_amount(self, who: str | None, amount: Amount) -> bool:
        """Whether somebody may be told what was paid.

        A commissioner is told what it paid, and what a subcontractor got only where the network
        switched that on. A subcontractor is told the price of the contract for the events that it
        is paid for itself: the fee kept from it is the difference, and it is shown its fee.
        """
        if who is NOBODY:
            return False
        if who in (self.world.network, self.prime(amount.contract_id)):
            return True
        if who == self.commissioner(amount.contract_id):
            return amount.side == "commissioner" or amount.contract_id in self.world.prices_shown
        if not amount.subcontractor_id:
            kind = (amount.client_group, amount.payment_type)
            return (amount.contract_id, who, *kind) in self.world.priced
        return who == amount.subcontractor_id
