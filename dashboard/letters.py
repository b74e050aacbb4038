"""Letters within the asker's scope: who may make which, and what the store knows for it."""

from __future__ import annotations

import datetime as dt
import difflib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from data.errors import BadOption, NotAllowed, NotOnRecord
from data.scope import NOT_SHOWN
from metrics.facts import Terms
from metrics.notices.catalogue import template, templates
from metrics.notices.matter import Elsewhere, Matter, Organisation
from metrics.notices.plain_text import plain_text
from metrics.notices.volumes import volumes_of
from metrics.rules import rules_as_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dashboard.service import Service
    from metrics.notices.definition import Letter, Notice

_OF_TERMS = (
    "delivery_role",
    "named_in_bid",
    "consented_on",
    "live_on",
    "promised_share",
    "agreed_management_fee_rate",
    "at_risk_share",
    "prime_at_risk_share",
    "payment_terms_days",
)
SUFFIXES = (".docx", ".txt")
_OFFER, _CLAIM = "expression_of_interest", "late_payment_claim"


def letter(
    service: Service,
    kind: str,
    contract_id: str | None,
    subcontractor_id: str | None = None,
    as_of: dt.date | None = None,
) -> Letter:
    """The letter, made from what the asker may see on a day; today unless set.

    Only the party that writes it may make it, or the network for that party. Whoever is no party
    gets NotOnRecord in the same words for what is not theirs and what does not exist. Without a
    subcontractor the asker is meant, where subcontractors write it. BadOption where a name is
    missing or the letter does not fit what is on record.
    """
    day = as_of or dt.date.today()
    wanted = template(kind)
    found = _matter(service, wanted.notice, contract_id or None, subcontractor_id or None, day)
    return wanted.write(found, rules_as_of(day))


def choices(service: Service) -> list[tuple[str | None, str | None, tuple[Notice, ...]]]:
    """Every contract and agreement about which the asker may make a letter, with which letters.

    Contract and subcontractor by id: without a subcontractor it is a whole contract, without a
    contract one that is not on record. By today's registers. Whether the letter fits what is on
    record shows when it is made.
    """
    tables = service.registers()
    if not tables:
        return []
    contracts = {row["contract_id"]: row for row in tables["contracts"].to_pylist()}
    pairs: list[tuple[str, str | None]] = [(contract_id, None) for contract_id in contracts]
    pairs += [
        (row["contract_id"], row["subcontractor_id"])
        for row in tables["agreements"].to_pylist()
        if row["contract_id"] in contracts
    ]
    found: list[tuple[str | None, str | None, tuple[Notice, ...]]] = []
    for contract_id, subcontractor_id in sorted(pairs, key=lambda pair: (pair[0], pair[1] or "")):
        writers = {
            "prime": contracts[contract_id]["prime_id"],
            "subcontractor": subcontractor_id,
        }
        mine = tuple(
            one.notice
            for one in templates()
            if _fits(one.notice, subcontractor_id)
            and writers["prime"] != subcontractor_id
            and _writes(service, writers[one.notice.writer])
        )
        if mine:
            found.append((contract_id, subcontractor_id, mine))
    me = service.scope.organisation_id if service.scope.role == "member" else None
    if me in _column(tables, "organisations", "organisation_id"):
        found.append((None, me, (template(_OFFER).notice,)))
    return found


def _fits(notice: Notice, subcontractor_id: str | None) -> bool:
    return (notice.writer == "subcontractor" or notice.about == "agreement") == (
        subcontractor_id is not None
    )


def _writes(service: Service, writer_id: str | None) -> bool:
    scope = service.scope
    return scope.sees_everything or (scope.role == "member" and scope.organisation_id == writer_id)


def _matter(
    service: Service,
    notice: Notice,
    contract_id: str | None,
    subcontractor_id: str | None,
    day: dt.date,
) -> Matter:
    service.ledger()
    if notice.writer == "subcontractor" and service.scope.role == "member":
        subcontractor_id = subcontractor_id or service.scope.organisation_id
    if notice.about == "agreement" or notice.id == _OFFER:
        if subcontractor_id is None:
            raise BadOption(f"The letter {notice.id} needs a subcontractor: name its id.")
    elif subcontractor_id is not None:
        raise BadOption(f"The letter {notice.id} is about a whole contract: name no subcontractor.")
    tables = service.registers(day)
    if contract_id is None:
        if notice.id != _OFFER:
            raise BadOption(f"The letter {notice.id} needs a contract: name its id.")
        return _offer(service, tables, subcontractor_id or "", day)
    if not service.reach().sees(contract_id, subcontractor_id):
        raise NotOnRecord(NOT_SHOWN)
    contract = _row(tables, "contracts", contract_id=contract_id)
    if contract is None:
        raise _unknown("contract", contract_id, _column(tables, "contracts", "contract_id"))
    if contract["prime_id"] == subcontractor_id:
        raise BadOption(f"In {contract_id} the prime delivers itself, and writes no letter to it.")
    writers = {"prime": contract["prime_id"], "subcontractor": subcontractor_id}
    agreement = None
    if subcontractor_id is not None:
        agreement = _row(
            tables, "agreements", contract_id=contract_id, subcontractor_id=subcontractor_id
        )
        if agreement is None and notice.id != _OFFER:
            known = [
                row["subcontractor_id"]
                for row in tables["agreements"].to_pylist()
                if row["contract_id"] == contract_id
            ]
            raise _unknown(f"agreement in {contract_id} with", subcontractor_id, known)
    if not _writes(service, writers[notice.writer]):
        raise NotAllowed(
            f"The {notice.writer} writes the letter {notice.id}. Only it can make one, or the "
            "network for it."
        )
    if agreement is None and notice.id == _OFFER:
        return replace(
            _offer(service, tables, subcontractor_id or "", day), **_about(tables, contract)
        )
    return _of_parties(service, notice, tables, contract, agreement, day)


def _of_parties(
    service: Service,
    notice: Notice,
    tables: Mapping[str, Any],
    contract: Mapping[str, Any],
    agreement: Mapping[str, Any] | None,
    day: dt.date,
) -> Matter:
    """An agreement, or a whole contract where there is no agreement, as the asker sees it."""
    contract_id = contract["contract_id"]
    subcontractor_id = None if agreement is None else agreement["subcontractor_id"]
    agreed = {} if agreement is None else {name: agreement[name] for name in _OF_TERMS}
    is_offer = notice.id == _OFFER
    return Matter(
        as_of=day,
        **_about(tables, contract),
        subcontractor=None if subcontractor_id is None else _named(tables, subcontractor_id),
        terms=Terms(starts_on=contract["starts_on"], **agreed),
        volumes=volumes_of(service.referral_months(contract_id, subcontractor_id, day)),
        payment_delay=_payment_delay(service, contract_id, subcontractor_id, day)
        if notice.id == _CLAIM
        else None,
        client_groups=_groups(tables, contract_id, subcontractor_id),
        elsewhere=_elsewhere(service, tables, subcontractor_id, contract_id)
        if is_offer
        else Elsewhere(),
    )


def _about(tables: Mapping[str, Any], contract: Mapping[str, Any]) -> dict[str, Any]:
    """The contract and who bought it from whom."""
    return {
        "contract_id": contract["contract_id"],
        "programme": contract["programme"],
        "area": contract["contract_package_area"],
        "commissioner": _named(tables, contract["commissioner_id"]),
        "prime": _named(tables, contract["prime_id"]),
    }


def _offer(
    service: Service, tables: Mapping[str, Any], subcontractor_id: str, day: dt.date
) -> Matter:
    """An expression of interest by somebody without an agreement, about a contract not named."""
    if not _writes(service, subcontractor_id):
        raise NotOnRecord(NOT_SHOWN)
    if _row(tables, "organisations", organisation_id=subcontractor_id) is None:
        known = _column(tables, "organisations", "organisation_id")
        raise _unknown("organisation", subcontractor_id, known)
    return Matter(
        as_of=day,
        contract_id=None,
        programme=None,
        area=None,
        commissioner=None,
        prime=None,
        subcontractor=_named(tables, subcontractor_id),
        has_agreement=False,
        elsewhere=_elsewhere(service, tables, subcontractor_id, None),
    )


def _elsewhere(
    service: Service,
    tables: Mapping[str, Any],
    subcontractor_id: str | None,
    contract_id: str | None,
) -> Elsewhere:
    """Its other agreements as counts, without contracts under embargo."""
    left_out = service.confidential() | {contract_id}
    roles = Counter(
        row["delivery_role"]
        for row in tables["agreements"].to_pylist()
        if row["subcontractor_id"] == subcontractor_id and row["contract_id"] not in left_out
    )
    return Elsewhere(roles.total(), tuple(sorted(roles.items())))


def _payment_delay(
    service: Service, contract_id: str, subcontractor_id: str | None, day: dt.date
) -> Mapping[str, Any] | None:
    """The evidence of the flag about late payment, as far as the asker may see it."""
    for found in service.flags(as_of=day).assessments:
        about = (found.contract_id, found.subcontractor_id)
        if found.flag == "payment_delay" and about == (contract_id, subcontractor_id):
            return found.evidence
    return None


def _groups(
    tables: Mapping[str, Any], contract_id: str, subcontractor_id: str | None
) -> tuple[str, ...]:
    """The client groups for which the register has the subcontractor's prices."""
    return tuple(
        sorted(
            {
                row["client_group"]
                for row in tables["prices"].to_pylist()
                if (row["contract_id"], row["subcontractor_id"]) == (contract_id, subcontractor_id)
                and subcontractor_id is not None
            }
        )
    )


def _named(tables: Mapping[str, Any], organisation_id: str) -> Organisation:
    row = _row(tables, "organisations", organisation_id=organisation_id)
    if row is None:
        return Organisation(organisation_id, organisation_id)
    return Organisation(organisation_id, row["name"], row["sector"])


def _row(tables: Mapping[str, Any], table_id: str, **key: str) -> dict[str, Any] | None:
    if table_id not in tables:
        return None
    rows: list[dict[str, Any]] = tables[table_id].to_pylist()
    return next(
        (row for row in rows if all(row[name] == value for name, value in key.items())), None
    )


def _column(tables: Mapping[str, Any], table_id: str, column: str) -> list[str]:
    known: list[str] = tables[table_id].column(column).to_pylist() if table_id in tables else []
    return known


def _unknown(what: str, wanted: str, known: Iterable[str]) -> NotOnRecord:
    near = difflib.get_close_matches(wanted, list(known), n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return NotOnRecord(f'No {what} "{wanted}" is on record.{hint}')


def letter_bytes(made: Letter, suffix: str) -> bytes:
    """A letter as Word file or plain text, by the ending; BadOption for another."""
    if suffix == ".docx":
        from dashboard.documents import letter_docx  # noqa: PLC0415 - loads only for Word

        return letter_docx(made)
    if suffix == ".txt":
        # With a mark, and lines that end as every editor on Windows takes them.
        return plain_text(made).replace("\n", "\r\n").encode("utf-8-sig")
    raise BadOption(f"A letter is a file that ends in {' or '.join(SUFFIXES)}.")
