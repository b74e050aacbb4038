"""Files that signed-in people take away: each within their scope, each noted in the audit.

| address | what | parameters |
|---|---|---|
| `/downloads/flags.csv` | assessments | `programme` `prime` `contract` `flag` `status`, repeated |
| `/downloads/answers.json` | answers in full | `contract`, `subcontractor`, `flag` repeated |
| `/downloads/rows.csv` | the rows behind them | `table`, `contract`, `subcontractor` |
| `/downloads/audit.csv` | who did what, when | |
| `/downloads/letter.docx`, `.txt` | a letter | `kind`, `contract`, `subcontractor`, `as_of` |
| `/downloads/merlin.docx`, `.csv`, `.json` | evidence by principle | `prime`, `as_of` |

The first three take `as_of` and `through` (rows: `as_of` alone), and `rule` as ID=VALUE,
repeated. One flag's answer is an object, all or several are a list. Unlike files offered by a
page, they are made for whoever asks at the moment of asking.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from starlette.responses import Response
from starlette.routing import Route

from dashboard.documents import DOCX
from dashboard.exports import csv_bytes, flags_csv
from dashboard.gate import UNREACHABLE
from dashboard.letters import SUFFIXES as LETTER_SUFFIXES
from dashboard.letters import letter, letter_bytes
from dashboard.merlin_file import SUFFIXES as MERLIN_SUFFIXES
from dashboard.merlin_file import evidence_bytes, evidence_files
from dashboard.plain import page
from dashboard.problems import kind_of, without_paths
from dashboard.trail import note_seen
from data import audit
from data.arrangements import scope_of
from data.audit_search import search
from data.errors import BadOption, NotOnRecord, SignInRefused, StoreError, UserError
from data.parse import parse_date, parse_month
from data.scope import NOT_SHOWN, Scope

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from dashboard.service import FlagReport, Service
    from dashboard.session import Served
    from data.database import Database
    from metrics.definition import Assessment

_AT_ONCE = 4
_CSV = "text/csv; charset=utf-8"
_TYPES = {
    ".csv": _CSV,
    ".docx": DOCX,
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_FILTERS = ("programme", "prime", "contract", "flag", "status")
_LOGS = ("referrals", "payments")


@dataclass(frozen=True)
class Asked:
    """What one request asks for: the store within the asker's scope, and the parameters."""

    service: Service
    database: Database | None
    actor: str
    given: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str | None:
        """A parameter's value, None where it is not given; BadOption if it is given twice."""
        values = [value for value in self.given.get(name, ()) if value]
        if len(values) > 1:
            raise BadOption(f"The address gives {name} twice. Give it once.")
        return values[0] if values else None

    def required(self, name: str) -> str:
        """A parameter's value; BadOption where it is not given."""
        value = self.one(name)
        if value is None:
            raise BadOption(f"The address does not say which {name} is meant.")
        return value

    @property
    def as_of(self) -> dt.date | None:
        """The day asked about, if one is given."""
        given = self.one("as_of")
        return parse_date(given) if given else None

    @property
    def rules(self) -> dict[str, str]:
        """The rules asked for in place of the register's."""
        values = {}
        for rule in self.given.get("rule", ()):
            name, equals, value = rule.partition("=")
            if not equals:
                raise BadOption(f'We read "{rule}" for a rule. Write it as management_fee=0.20.')
            values[name.strip()] = value.strip()
        return values

    def report(self) -> FlagReport:
        """Every flag, for the day, month and rules asked about."""
        through = self.one("through")
        return self.service.flags(
            as_of=self.as_of,
            through=parse_month(through) if through else None,
            overrides=self.rules,
        )

    def note_seen(self, what: str, row_count: int, **about: Any) -> None:
        """Note in the audit what was taken away, where there is one."""
        if self.database is None:
            return
        more = {name: self.one(name) for name in ("as_of", "through")}
        note_seen(
            self.database,
            what,
            actor=self.actor,
            organisation_id=self.service.scope.organisation_id,
            row_count=row_count,
            **more,
            rules=self.rules or None,
            **about,
        )


def flags_file(asked: Asked) -> Response:
    """The assessments that fit the filters, as CSV."""
    report = asked.report()
    registered = asked.service.registers(report.as_of)
    programmes = {
        row["contract_id"]: str(row["programme"]) for row in registered["contracts"].to_pylist()
    }

    def features(found: Assessment) -> dict[str, str | None]:
        return {
            "programme": programmes.get(found.contract_id),
            "prime": found.prime_id,
            "contract": found.contract_id,
            "flag": found.flag,
            "status": found.status,
        }

    wanted = {name: asked.given[name] for name in _FILTERS if asked.given.get(name)}
    described = [(found, features(found)) for found in report.assessments]
    chosen = [
        found
        for found, mine in described
        if all(mine[name] in values for name, values in wanted.items())
    ]
    known = {name: {mine[name] for _, mine in described} for name in wanted}
    kept = {
        name: [value for value in values if value in known[name]] for name, values in wanted.items()
    }
    asked.note_seen("flags.csv", len(chosen), filters=kept or None)
    return _file(flags_csv(chosen, report.overrides), "flags.csv", _CSV)


def answers_file(asked: Asked) -> Response:
    """One answer in full, or all about an agreement or a contract, with every row, as JSON."""
    contract_id, subcontractor_id = asked.required("contract"), asked.one("subcontractor")
    wanted = [value for value in asked.given.get("flag", ()) if value]
    told = [
        one
        for one in asked.service.explanations(asked.report(), contract_id, subcontractor_id)
        if not wanted or one.flag.id in wanted
    ]
    if not told:
        raise NotOnRecord(NOT_SHOWN)
    asked.note_seen(
        "answers.json",
        sum(len(one.source_rows) for one in told),
        contract_id=contract_id,
        subcontractor_id=subcontractor_id,
        flags=[one.flag.id for one in told],
    )
    answers = [one.answer() for one in told]
    alone = len(wanted) == 1
    content = json.dumps(
        answers[0] if alone else answers, indent=2, ensure_ascii=False, allow_nan=False
    )
    name = f"{told[0].flag.id}.json" if alone else "flags.json"
    return _file(content.encode(), name, "application/json")


def rows_file(asked: Asked) -> Response:
    """The rows in force of one log behind an agreement or a contract, as CSV."""
    table_id = asked.required("table")
    contract_id, subcontractor_id = asked.required("contract"), asked.one("subcontractor")
    if table_id not in _LOGS:
        raise BadOption(f"Rows are of {' or '.join(_LOGS)}.")
    rows = asked.service.rows(table_id, contract_id, subcontractor_id, asked.as_of)
    if rows.empty and not _is_registered(asked.service, contract_id, subcontractor_id):
        raise NotOnRecord(NOT_SHOWN)
    asked.note_seen(
        f"{table_id}.csv",
        len(rows),
        contract_id=contract_id,
        subcontractor_id=subcontractor_id,
    )
    cells = rows.astype(object).where(rows.notna(), None).to_numpy().tolist()
    content = csv_bytes([str(name) for name in rows.columns], cells)
    return _file(content, f"{table_id}.csv", _CSV)


def _is_registered(service: Service, contract_id: str, subcontractor_id: str | None) -> bool:
    registers = service.registers()
    if subcontractor_id is None:
        return contract_id in registers["contracts"]["contract_id"].to_pylist()
    agreements = registers["agreements"].select(["contract_id", "subcontractor_id"]).to_pylist()
    return {"contract_id": contract_id, "subcontractor_id": subcontractor_id} in agreements


def audit_file(asked: Asked) -> Response:
    """The audit as CSV: all of it for the network, else what one's own organisation did."""
    scope = asked.service.scope
    if asked.database is None:
        raise NotOnRecord(NOT_SHOWN)
    events = tuple(reversed(search(asked.database, scope).events))
    with asked.database.writing() as connection:
        audit.note(
            connection,
            "audit.seen",
            actor=asked.actor,
            organisation_id=scope.organisation_id,
            details={"row_count": len(events)},
        )
    return _file(audit_csv(events), "audit.csv", _CSV)


def letter_file(asked: Asked, suffix: str) -> Response:
    """A letter that the asker may make, to edit and send."""
    made = letter(
        asked.service,
        asked.required("kind"),
        asked.one("contract"),
        asked.one("subcontractor"),
        asked.as_of,
    )
    content = letter_bytes(made, suffix)
    asked.note_seen(
        f"letter{suffix}",
        len(made.facts),
        contract_id=made.contract_id,
        subcontractor_id=made.subcontractor_id,
        kind=made.notice.id,
    )
    return _file(content, f"{made.notice.id}{suffix}", _TYPES[suffix])


def merlin_file(asked: Asked, suffix: str) -> Response:
    """The evidence of a prime, or of all whose file the asker may have, by principle."""
    files = evidence_files(asked.service, asked.required("prime"), asked.as_of)
    content = evidence_bytes(files, suffix)
    rows = sum(len(one.rows()) for one in files)
    asked.note_seen(f"merlin{suffix}", rows, primes=[one.prime_id for one in files])
    return _file(content, f"merlin{suffix}", _TYPES[suffix])


def audit_csv(events: Iterable[audit.Event]) -> bytes:
    """The audit as CSV; the hashes let anybody prove that nothing was left out."""
    rows = (
        (
            event.sequence,
            event.at.isoformat(),
            event.actor,
            event.organisation_id,
            event.action,
            event.subject,
            json.dumps(dict(event.details), sort_keys=True, ensure_ascii=False),
            event.previous_hash,
            event.entry_hash,
        )
        for event in events
    )
    return csv_bytes([field.name for field in fields(audit.Event)], rows)


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    return Response(content, 200, headers, media_type)


_PERIOD = ("as_of", "through", "rule")
_FILES: Mapping[str, tuple[Callable[[Asked], Response], tuple[str, ...]]] = {
    "flags.csv": (flags_file, (*_FILTERS, *_PERIOD)),
    "answers.json": (answers_file, ("contract", "subcontractor", "flag", *_PERIOD)),
    "rows.csv": (rows_file, ("table", "contract", "subcontractor", "as_of")),
    "audit.csv": (audit_file, ()),
    **{
        f"letter{suffix}": (
            functools.partial(letter_file, suffix=suffix),
            ("kind", "contract", "subcontractor", "as_of"),
        )
        for suffix in LETTER_SUFFIXES
    },
    **{
        f"merlin{suffix}": (functools.partial(merlin_file, suffix=suffix), ("prime", "as_of"))
        for suffix in MERLIN_SUFFIXES
    },
}


class _Downloads:
    """The files of one server."""

    def __init__(self, served: Served):
        self.served = served
        self._threads = anyio.CapacityLimiter(_AT_ONCE)

    def route(self, name: str) -> Route:
        """The route of one file."""
        made, parameters = _FILES[name]

        def answered(request: Request) -> Response:
            try:
                return made(self._asked(request, parameters))
            except StoreError:
                return _refused(UNREACHABLE, 503)
            except UserError as error:
                sentence = without_paths(str(error), self.served.service.store)
                return _refused(sentence, kind_of(error).status)

        async def endpoint(request: Request) -> Response:
            return await to_thread.run_sync(answered, request, limiter=self._threads)

        return Route(f"/downloads/{name}", endpoint, methods=["GET"])

    def _asked(self, request: Request, parameters: tuple[str, ...]) -> Asked:
        given: dict[str, tuple[str, ...]] = {}
        for name, value in request.query_params.multi_items():
            if name not in parameters:
                raise BadOption(f'The address has "{name}", which means nothing here.')
            given[name] = (*given.get(name, ()), value)
        scope, actor = self._asker(request)
        served = self.served
        return Asked(served.service.within(scope), served.database, actor, given)

    def _asker(self, request: Request) -> tuple[Scope, str]:
        """Who asks: whose session the gate found, or whom a server without sign-in is for."""
        served = self.served
        if served.cookie is None:
            person = served.person
            return (person.scope, person.actor) if person else (served.service.scope, "operator")
        session = request.scope.get("state", {}).get("session")
        if session is None or served.database is None:
            raise SignInRefused("You have been signed out. Sign in again to go on.")
        account = session.account
        scope = scope_of(served.database, account.role, account.organisation_id)
        return scope, account.email


def _refused(sentence: str, status: int) -> Response:
    """A page that says why there is no file."""
    return page(
        "Nothing was downloaded",
        '<p><a href="/">Go to the overview</a></p>',
        status,
        refused=sentence,
    )


def routes(served: Served) -> list[BaseRoute]:
    """The routes of all files; the gate lets only signed-in people ask for them."""
    downloads = _Downloads(served)
    return [downloads.route(name) for name in _FILES]
