"""The Merlin evidence of primes within the asker's scope: who may have it, and in which forms."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from typing import TYPE_CHECKING

from dashboard.exports import csv_bytes
from data.errors import BadOption, NotOnRecord
from data.scope import NOT_SHOWN
from metrics.concentration import concentration
from metrics.conversion import conversion
from metrics.facts import gather
from metrics.merlin import ROW_COLUMNS, EvidenceFile, evidence_offered
from metrics.spend_by_sector import spend_by_contract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.service import Service

ALL = "all"
SUFFIXES = (".docx", ".csv", ".json")


def primes(service: Service, as_of: dt.date | None = None) -> tuple[str, ...]:
    """The primes whose file the asker may have: itself, or for the network every one."""
    tables = service.registers(as_of)
    if not tables:
        return ()
    holders = sorted(set(tables["contracts"].column("prime_id").to_pylist()))
    scope = service.scope
    if scope.sees_everything:
        return tuple(holders)
    mine = scope.organisation_id if scope.role == "member" else None
    return tuple(one for one in holders if one == mine)


def evidence_files(
    service: Service, prime: str, as_of: dt.date | None = None
) -> tuple[EvidenceFile, ...]:
    """The file of a prime, or of `all` whose file the asker may have, as of a day.

    A prime's file is for itself and the network; for anybody else NotOnRecord in the same words,
    whether there is such a prime or not. Contracts under embargo are left out.
    """
    day = as_of or dt.date.today()
    service.ledger()
    known = primes(service, day)
    if prime == ALL and known:
        wanted: Sequence[str] = known
    elif prime in known:
        wanted = (prime,)
    elif service.scope.sees_everything:
        near = difflib.get_close_matches(prime, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise NotOnRecord(f'No prime "{prime}" is on record.{hint} Name its id, or all.')
    else:
        raise NotOnRecord(NOT_SHOWN)
    tables = service.registers(day)
    confidential = service.confidential()
    held: dict[str, list[str]] = {one: [] for one in wanted}
    for row in tables["contracts"].to_pylist():
        if row["prime_id"] in held:
            held[row["prime_id"]].append(row["contract_id"])
    shown = {
        one: [contract_id for contract_id in sorted(ids) if contract_id not in confidential]
        for one, ids in held.items()
    }
    assessments = service.flags(as_of=day).assessments
    # A prime sees all rows of its contracts, so its own frames give the whole answer.
    every = [contract_id for ids in shown.values() for contract_id in ids]
    facts = gather(service.frames(day).of_contracts(every), day, None, confidential)
    spend, concentrations = spend_by_contract(facts), concentration(facts)
    conversions = {
        contract_id: found
        for (contract_id, subcontractor_id), found in conversion(facts).items()
        if subcontractor_id is None
    }
    return tuple(
        evidence_offered(
            one,
            day,
            ids,
            assessments,
            spend,
            concentrations,
            conversions,
            facts.names,
            left_out_count=len(held[one]) - len(ids),
        )
        for one, ids in shown.items()
    )


def evidence_bytes(files: Sequence[EvidenceFile], suffix: str) -> bytes:
    """The files as one Word file, CSV or JSON list, by the ending; BadOption for another."""
    if suffix == ".docx":
        from dashboard.documents import evidence_docx  # noqa: PLC0415 - loads only for Word

        return evidence_docx(files)
    if suffix == ".csv":
        return csv_bytes(ROW_COLUMNS, [row for one in files for row in one.rows()])
    if suffix == ".json":
        answers = [one.answer() for one in files]
        return json.dumps(answers, indent=2, ensure_ascii=False, allow_nan=False).encode()
    raise BadOption(f"A file of evidence ends in {' or '.join(SUFFIXES)}.")
