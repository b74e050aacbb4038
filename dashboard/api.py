"""The API for management information systems: the same checks and answers as the commands."""

# FastAPI reads annotations while the program runs, so they are not put off here.

import contextlib
import datetime as dt
import errno
import functools
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from email.message import Message as Headers
from pathlib import Path
from typing import Annotated, Any, BinaryIO, ParamSpec, Protocol, TypeVar

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from checks.catalogue import all_checks
from dashboard import answers, proceedings, submission
from dashboard.gate import REFUSALS, Refused, told_of_bug
from dashboard.paths import rule_for
from dashboard.problems import KINDS, MEDIA_TYPE, Problem, problem, problem_of, problem_of_status
from dashboard.service import Service
from dashboard.submission import Submission, Submitted
from dashboard.terminal import report_bug
from dashboard.trail import note_recorded, note_refused, note_seen
from data import tokens
from data.arrangements import scope_of
from data.database import Database
from data.errors import BadOption, NotOnRecord, SignInRefused, StoreError, UnusableFile, UserError
from data.parse import parse_date, parse_month
from data.returns import Return
from data.scope import NOT_SHOWN
from data.settings import max_upload_bytes
from data.tables import TABLES, table_named
from data.tokens import ApiToken

P = ParamSpec("P")
R = TypeVar("R")

UPLOADS_AT_ONCE = 4
UPLOADS_AT_ONCE_EACH = 2  # so that no organisation takes all places
_READERS_AT_ONCE = 8
_ONLOOKERS_AT_ONCE = 2
_BLOCK_BYTES = 1 << 20
_DESCRIPTION = """
What `fairtier submit`, `check`, `history`, `flags` and `explain` do, for programs, with the same
checks and the same answers. A token belongs to one organisation and sees what that organisation
sees; the network makes and ends tokens. Send it as `Authorization: Bearer ft_...`.

Every error is problem details (RFC 9457). What is not yours to see and what does not exist are
told in the same words.

A file is sent as it is, as the whole body: not as a form, not compressed. It is checked before the
answer comes, which can take minutes for a very large one; programs that cannot wait so long may
send it again later, for the same file is not recorded twice. With `Expect: 100-continue` a file
that will not be taken need not be sent.
"""


class Submitter(Protocol):
    """Another process that calls a function for this one: a `checks.worker.Worker`."""

    def ask(self, question: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns or raises."""


class Places:
    """How many files may be on their way at once, in all and from one organisation."""

    def __init__(self, most_count: int, most_each_count: int):
        self.most_count = most_count
        self.most_each_count = most_each_count
        self._taken: Counter[str] = Counter()

    @contextlib.contextmanager
    def taken(self, organisation_id: str) -> Iterator[None]:
        """Have a place for the organisation, or raise that it must wait."""
        if self._taken.total() >= self.most_count:
            raise Problem("busy", "Too many files are on their way. Send it again in a while.")
        if self._taken[organisation_id] >= self.most_each_count:
            raise Problem(
                "busy",
                f"{self.most_each_count} files of {organisation_id} are on their way. Send this "
                "one when they are done.",
            )
        self._taken[organisation_id] += 1
        try:
            yield
        finally:
            self._taken[organisation_id] -= 1


@dataclass(frozen=True)
class Behind:
    """What the API stands on: the store, the database, and the process that checks files."""

    service: Service
    database: Database
    submitter: Submitter
    uploads: Places = field(default_factory=lambda: Places(UPLOADS_AT_ONCE, UPLOADS_AT_ONCE_EACH))
    submitting: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(UPLOADS_AT_ONCE)
    )
    reading: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_READERS_AT_ONCE)
    )
    looking_on: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_ONLOOKERS_AT_ONCE)
    )

    @property
    def store(self) -> Path:
        """The folder of the store."""
        return self.service.store

    async def read(self, question: Callable[[], R]) -> R:
        """What a function returns, called in a thread, a few at a time."""
        return await to_thread.run_sync(question, limiter=self.reading)


@dataclass(frozen=True)
class Program:
    """The program that asks: its token, and the store as its organisation sees it."""

    behind: Behind
    token: ApiToken
    service: Service

    @property
    def actor(self) -> str:
        """What the audit calls it."""
        return f"token {self.token.name}"

    def note_seen(self, what: str, row_count: int, **about: Any) -> None:
        """Note in the audit what it took away."""
        note_seen(
            self.behind.database,
            what,
            actor=self.actor,
            organisation_id=self.token.organisation_id,
            row_count=row_count,
            **about,
        )


_BEARER = HTTPBearer(
    auto_error=False, bearerFormat="ft_...", description="A token of your organisation."
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


async def _program(
    request: Request, credentials: HTTPAuthorizationCredentials | None, permission: str
) -> Program:
    behind: Behind = request.app.state.behind
    if credentials is None or len(request.headers.getlist("authorization")) != 1:
        raise SignInRefused(
            "Send a token of your organisation in the header Authorization: Bearer ft_... ."
        )
    secret = credentials.credentials

    def found() -> Program:
        token = tokens.permitted(behind.database, secret, permission)
        scope = scope_of(behind.database, token.role, token.organisation_id)
        return Program(behind, token, behind.service.within(scope))

    return await behind.read(found)


async def _reader(request: Request, credentials: Credentials) -> Program:
    return await _program(request, credentials, "read")


async def _sender(request: Request, credentials: Credentials) -> Program:
    return await _program(request, credentials, "submit")


Reader = Annotated[Program, Depends(_reader)]
Sender = Annotated[Program, Depends(_sender)]
ReturnId = Annotated[str, InPath(description="The id that recording it gave, r-...")]


class Nothing(BaseModel):
    """No parameters: one that is given is a mistake, as one that is misspelt would be elsewhere."""

    model_config = ConfigDict(extra="forbid")


class Day(Nothing):
    """Which day's knowledge is asked for."""

    as_of: str | None = Field(
        None, description="What was known on this day, 2012-03-31; today unless given."
    )

    @property
    def day(self) -> dt.date | None:
        """The day asked about, if one is given; else BadOption."""
        return parse_date(self.as_of) if self.as_of else None


class When(Day):
    """Which day's knowledge, and up to which month."""

    through: str | None = Field(None, description="The last month to look at, 2012-03.")

    @property
    def month(self) -> dt.date | None:
        """The last month, if one is given; else BadOption."""
        return parse_month(self.through) if self.through else None


class About(When):
    """One agreement of a contract, or the whole of it."""

    subcontractor_id: str | None = Field(None, description="Not given: the whole contract.")


class Sent(Nothing):
    """What is said of a file that is sent."""

    by: str | None = Field(
        None,
        description="The organisation that reports; the token's own unless given. Only the network "
        "may name another.",
    )
    covers: str | None = Field(None, description="Months covered, 2011-06..2012-03.")
    received_on: str | None = Field(
        None,
        description="Day it was received; today unless given. Only the network may name an "
        "earlier day, for history that is loaded.",
    )
    file_name: str | None = Field(
        None,
        description="What the file is called in messages and in the history; the header "
        "Content-Disposition may say so instead.",
    )


class Submittal(Sent):
    """What is said of a return that is sent."""

    nil: bool = Field(
        False, description="There was nothing to report in the months covered; send no body."
    )


router = APIRouter(generate_unique_id_function=lambda route: route.name)
_FILE: dict[str, Any] = {
    "requestBody": {
        "description": "The file as it is: CSV, TSV, XLSX, XLS or ODS.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("text/csv", "application/octet-stream")
        },
    }
}
_TABLE = Annotated[str, InPath(description=f"One of {', '.join(TABLES)}.")]


def _told(*statuses: int, **models: Any) -> dict[int | str, dict[str, Any]]:
    """What an endpoint may answer, for the OpenAPI document: `ok` and problems by status."""
    titles = {kind.status: kind.title for kind in KINDS.values()}
    found: dict[int | str, dict[str, Any]] = {
        status: {"model": answers.ProblemAnswer, "description": titles[status]}
        for status in (400, *statuses, 500, 503)
    }
    return found | ({200: {"model": models["ok"]}} if models else {})


# Returns


@router.post(
    "/returns/{table}",
    status_code=201,
    response_model=None,
    openapi_extra=_FILE,
    responses={
        201: {"model": answers.SubmittedAnswer, "description": "Recorded"},
        200: {"model": answers.SubmittedAnswer, "description": "Already recorded"},
        **_told(401, 403, 404, 408, 409, 413, 415),
        422: {"model": answers.RefusedAnswer, "description": "Refused by the checks"},
    },
)
async def submit_return(
    request: Request, table: _TABLE, said: Annotated[Submittal, Query()], program: Sender
) -> Response:
    """Check a file and record it as a return, as `fairtier submit` does.

    Warnings are recorded with it; only refusals keep it out, and then nothing is stored. A file
    that stands already is not recorded twice.
    """

    def submitted(asked: Submission) -> tuple[Path, int, Mapping[str, str]]:
        told = _recorded(program, asked)
        if told.receipt is None:
            return told.answer, 422, {}
        address = f"{_root(request)}/returns/{told.receipt.entry.return_id}"
        return told.answer, 200 if told.receipt.already else 201, {"location": address}

    return await _delivered(request, table, said, program, submitted, nil=said.nil)


@router.post(
    "/checks/{table}",
    response_model=None,
    openapi_extra=_FILE,
    responses=_told(401, 403, 404, 408, 413, 415, ok=answers.CheckedAnswer),
)
async def check_file(
    request: Request, table: _TABLE, said: Annotated[Sent, Query()], program: Sender
) -> Response:
    """Check a file and store nothing, as `fairtier check` does.

    The answer is 200 whatever was found: `fit` says whether it would be recorded.
    """

    def checked(asked: Submission) -> tuple[Path, int, Mapping[str, str]]:
        return program.behind.submitter.ask(submission.check, asked), 200, {}

    return await _delivered(request, table, said, program, checked, nil=False)


def _recorded(program: Program, asked: Submission) -> Submitted:
    """Have a return recorded, and what became of it noted in the audit."""
    database, organisation_id = program.behind.database, program.token.organisation_id
    actor = program.actor
    try:
        told = program.behind.submitter.ask(submission.submit, asked)
    except UnusableFile:
        note_refused(
            database, asked.table, asked.by, 0, actor=actor, organisation_id=organisation_id
        )
        raise
    if told.receipt is None:
        note_refused(
            database,
            asked.table,
            asked.by,
            told.refusal_count,
            actor=actor,
            organisation_id=organisation_id,
        )
    else:
        note_recorded(database, told.receipt, actor=actor, organisation_id=organisation_id)
    return told


async def _delivered(
    request: Request,
    table: str,
    said: Sent,
    program: Program,
    question: Callable[[Submission], tuple[Path, int, Mapping[str, str]]],
    *,
    nil: bool,
) -> Response:
    """Receive a file into a folder of its own, ask about it, and answer; the folder goes away."""
    behind = program.behind
    table_id = table_named(table).id
    received_on = parse_date(said.received_on) if said.received_on else None
    most_bytes = max_upload_bytes()
    _require_plain_file(request, most_bytes)
    with behind.uploads.taken(program.token.organisation_id):
        async with _folder(behind.store) as folder:
            file = None
            if nil:
                await _require_no_body(request)
            else:
                name = said.file_name or _name_in(request.headers.get("content-disposition"))
                file = folder / "received" / submission.plain_name(name)
                await _receive(request, file, most_bytes)
            asked = Submission(
                store=behind.store,
                scope=program.service.scope,
                table=table_id,
                by=said.by or program.token.organisation_id,
                folder=folder,
                instance=request.scope["path"],
                file=file,
                covers=said.covers,
                received_on=received_on,
            )
            answer, status, headers = await to_thread.run_sync(
                question, asked, limiter=behind.submitting
            )
            media_type = "application/json" if status < 400 else MEDIA_TYPE
            return FileAnswer(answer.open("rb"), status, headers, media_type)


def _require_plain_file(request: Request, most_bytes: int) -> None:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most_bytes:
        raise Problem("too-large", submission.too_large(most_bytes))
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("unusable-file", "The file is compressed. Send it as it is.")
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise Problem(
            "unusable-file",
            "This is a form with a file in it. Send the file itself as the body (with curl: "
            "--data-binary @FILE).",
        )


async def _require_no_body(request: Request) -> None:
    async for block in request.stream():
        if block:
            raise BadOption(
                "Give either a file or nil=true, which says that there was nothing to report."
            )


def _name_in(disposition: str | None) -> str | None:
    """The file's name in a header Content-Disposition."""
    headers = Headers()
    with contextlib.suppress(ValueError, LookupError):
        headers["content-disposition"] = disposition or ""
        return headers.get_filename()
    return None


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    """Tell what a disk refuses as what it means to a program."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem(
                "unreachable",
                "The server has no room for the file. Nothing was recorded: tell whoever runs it.",
            ) from error
        raise StoreError("The store cannot be written. Nothing was recorded.") from error


@contextlib.asynccontextmanager
async def _folder(store: Path) -> AsyncIterator[Path]:
    """A folder for one request, taken away when it is done, whatever happens."""
    with _disk():
        folder = submission.new_folder(store)
    try:
        yield folder
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(submission.remove_folder, folder)


async def _receive(request: Request, path: Path, most_bytes: int) -> None:
    """Write the body to a file, block by block: no more of it is held than one block."""
    blocks: list[bytes] = []
    held_bytes = received_bytes = 0
    with _disk():
        path.parent.mkdir()
        with path.open("wb") as file:
            async for block in request.stream():
                blocks.append(block)
                held_bytes += len(block)
                received_bytes += len(block)
                if received_bytes > most_bytes:
                    raise Problem("too-large", submission.too_large(most_bytes))
                if held_bytes >= _BLOCK_BYTES or not block:
                    await to_thread.run_sync(file.write, b"".join(blocks))
                    blocks, held_bytes = [], 0


class FileAnswer(StreamingResponse):
    """An answer read from a file that is open, and may be gone from its folder by then."""

    def __init__(
        self, file: BinaryIO, status: int, headers: Mapping[str, str], media_type: str
    ) -> None:
        self.file = file
        length = {"content-length": str(os.fstat(file.fileno()).st_size)}
        blocks = iter(functools.partial(file.read, _BLOCK_BYTES), b"")
        super().__init__(blocks, status, {**length, **headers}, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it and close the file, whatever happens."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.file.close()


class _Csv(Response):
    media_type = "text/csv"


@router.get(
    "/returns", response_model=None, responses=_told(401, 403, ok=list[answers.ReturnAnswer])
)
async def list_returns(said: Annotated[Nothing, Query()], program: Reader) -> Response:  # noqa: ARG001
    """Your returns in the order in which they were recorded, as `fairtier history` lists them."""
    return await _json(program, lambda: answers.history_answer(program.service.history()))


@router.get(
    "/returns/{return_id}",
    response_model=None,
    responses=_told(401, 403, 404, ok=answers.ReturnAnswer),
)
async def show_return(
    return_id: ReturnId,
    said: Annotated[Nothing, Query()],  # noqa: ARG001
    program: Reader,
) -> Response:
    """One of your returns."""
    return await _json(program, lambda: answers.history_answer([_entry(program, return_id)])[0])


@router.get(
    "/returns/{return_id}/rows",
    response_model=None,
    response_class=_Csv,
    responses=_told(401, 403, 404),
)
async def show_rows(
    return_id: ReturnId,
    said: Annotated[Nothing, Query()],  # noqa: ARG001
    program: Reader,
) -> Response:
    """The rows of one of your returns, as CSV.

    Every cell is the text that was received, under the standard's names, with the row's number in
    the file; only marks of clients are replaced by their keyed hash, for nothing else of them is
    kept. A spreadsheet may take a cell that begins with = + - or @ for a formula.
    """
    behind = program.behind

    async with _folder(behind.store) as folder:

        def written() -> BinaryIO:
            scope = program.service.scope
            path, row_count = behind.submitter.ask(
                submission.received_rows, behind.store, scope, return_id, folder
            )
            program.note_seen("rows as received", row_count, return_id=return_id)
            return path.open("rb")

        named = {"content-disposition": f'attachment; filename="{return_id}.csv"'}
        return FileAnswer(await behind.read(written), 200, named, "text/csv; charset=utf-8")


@router.get(
    "/returns/{return_id}/findings",
    response_model=None,
    responses=_told(401, 403, 404, ok=answers.WarningsAnswer),
)
async def show_findings(
    return_id: ReturnId,
    said: Annotated[Nothing, Query()],  # noqa: ARG001
    program: Reader,
) -> Response:
    """Which checks warned when one of your returns was recorded.

    Of the findings about a recorded return only this is kept. All findings, with their rows, are in
    the answer that recorded or refused it; send the file to `checks` to see them again.
    """

    def warnings() -> dict[str, Any]:
        known = {check.id: check for check in all_checks()}
        found = []
        for check_id in _entry(program, return_id).warnings:
            check = known.get(check_id)  # None for one that this version has no more
            found.append(
                {
                    "check": check_id,
                    "family": check and check.family,
                    "promise": check and check.promise,
                }
            )
        return {"return_id": return_id, "warnings": found}

    return await _json(program, warnings)


def _entry(program: Program, return_id: str) -> Return:
    for entry in program.service.history():
        if entry.return_id == return_id:
            return entry
    raise NotOnRecord(NOT_SHOWN)


# Flags


@router.get("/flags", response_model=None, responses=_told(401, 403, 404, ok=answers.FlagsAnswer))
async def list_flags(said: Annotated[When, Query()], program: Reader) -> Response:
    """Every flag for every agreement and contract you may see, as `fairtier flags` has them."""
    as_of, through = said.day, said.month

    def found() -> dict[str, Any]:
        _require_returns(program.service)
        return program.service.flags(as_of=as_of, through=through).answer()

    return await _json(program, found)


@router.get(
    "/flags/{flag}/{contract_id:path}",
    response_model=None,
    responses=_told(401, 403, 404, ok=answers.ExplainedAnswer),
)
async def explain_flag(
    flag: str, contract_id: str, said: Annotated[About, Query()], program: Reader
) -> Response:
    """What one flag says about an agreement or a contract in full, as `fairtier explain` does.

    It has every row behind the answer that is yours to see. The audit notes that it was fetched.
    """
    as_of, through = said.day, said.month

    def explained() -> dict[str, Any]:
        _require_returns(program.service)
        told = program.service.explain(
            flag, contract_id, said.subcontractor_id, as_of=as_of, through=through
        )
        program.note_seen(
            "answer",
            len(told.source_rows),
            contract_id=contract_id,
            subcontractor_id=said.subcontractor_id,
            flag=flag,
        )
        return told.answer()

    return await _json(program, explained)


def _require_returns(service: Service) -> None:
    if not service.version():
        raise NotOnRecord("Nothing has been recorded here yet.")


@router.get("/published", response_model=None, responses=_told(ok=list[answers.PublishedAnswer]))
async def list_published(request: Request, said: Annotated[Nothing, Query()]) -> Response:  # noqa: ARG001
    """The flags that the network has published, each beside the replies; no token is needed."""
    behind: Behind = request.app.state.behind
    found = await to_thread.run_sync(
        proceedings.open_to_all, behind.database, dt.date.today(), limiter=behind.looking_on
    )
    return Response(_text([_plain(asdict(one)) for one in found]), media_type="application/json")


# Registers


def _register(table_id: str) -> None:
    table = TABLES[table_id]

    async def listed(said: Annotated[Day, Query()], program: Reader) -> Response:
        as_of = said.day

        def found() -> list[dict[str, Any]]:
            rows = program.service.registers(as_of)[table_id]
            names = [column.stored for column in table.columns]
            return [_plain(row) for row in rows.select(names).to_pylist()]

        return await _json(program, found)

    listed.__doc__ = f"The register of {table_id} in force, as far as it is yours to see."
    router.add_api_route(
        f"/{table_id}",
        listed,
        methods=["GET"],
        response_model=None,
        name=f"list_{table_id}",
        responses=_told(401, 403, ok=list[dict[str, Any]]),
    )


for _table_id in ("organisations", "contracts", "agreements"):
    _register(_table_id)


# Problems


@router.get(
    "/problems/{kind}", response_model=None, responses=_told(404, ok=answers.ProblemKindAnswer)
)
async def show_problem(kind: str) -> Response:
    """What a kind of problem means and what a program should do about it; needs no token."""
    found = KINDS.get(kind)
    if found is None:
        raise NotOnRecord(f"There is no such kind of problem. The kinds are {', '.join(KINDS)}.")
    told = {
        "type": found.type,
        "title": found.title,
        "status": found.status,
        "meaning": found.meaning,
    }
    return Response(_text(told), media_type="application/json")


async def _json(program: Program, question: Callable[[], Any]) -> Response:
    """The answer to a question that takes a while, as JSON."""
    content = await program.behind.read(lambda: _text(question()))
    return Response(content, media_type="application/json")


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON takes it: days and moments as ISO text."""
    return {name: _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _plain(value)
    return [_plain_value(one) for one in value] if isinstance(value, list | tuple) else value


# Errors


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", ""))


def _note(request: Request, reason: str) -> None:
    """Count a refusal, with those of the gate."""
    REFUSALS.note(reason, rule_for(request.method, request.scope["path"]))


async def _on_user_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)  # noqa: S101 - registered for these only
    behind: Behind = request.app.state.behind
    if isinstance(error, SignInRefused):
        _note(request, "token")
    elif isinstance(error, StoreError):
        _note(request, "store")
    answer = problem_of(error, request.scope["path"], behind.store)
    if answer.status_code == 413:
        answer.headers["connection"] = "close"
    return answer


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    detail, headers = error.detail, error.headers
    if isinstance(error, Refused):
        _note(request, error.reason)
    elif error.status_code == 404:
        detail = "There is nothing at this address."
    elif error.status_code == 405:
        allowed = _allowed(request)
        detail = f"Ask here with {' or '.join(allowed)}."
        headers = {"allow": ", ".join(allowed)}
    return problem_of_status(error.status_code, detail, request.scope["path"], headers)


def _allowed(request: Request) -> list[str]:
    """The methods with which something can be asked at an address; Starlette tells one route's."""
    fitting = [
        route
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
    ]
    return sorted({method for route in fitting for method in route.methods or ()})


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    detail = " ".join(dict.fromkeys(_mistake(one) for one in error.errors()))
    return problem(KINDS["bad-request"], detail, request.scope["path"])


def _mistake(found: Mapping[str, Any]) -> str:
    """What is wrong with one parameter, in a sentence."""
    name, given = str(found["loc"][-1])[:60], str(found.get("input"))[:60]
    if found["type"] == "extra_forbidden":
        return (
            f'There is no parameter "{name}" here; {"/api/v1/openapi.json"} lists those there are.'
        )
    if found["type"] == "missing":
        return f"Give {name}."
    if found["type"].startswith("bool"):
        return f'We read "{given}" for {name}. Write true or false.'
    return f'We read "{given}" for {name}: {str(found["msg"])[:1].lower()}{found["msg"][1:]}.'


class Faults:
    """ASGI middleware that tells of a fault of ours by its id, and of nothing else."""

    def __init__(self, app: ASGIApp, store: Path):
        self.app = app
        self.store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer for what went wrong unless an answer had begun."""
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except ClientDisconnect:
            return  # nobody is there to be told
        except Exception as error:
            if started:
                raise
            sentence = told_of_bug(report_bug(error, self.store))
            await problem(KINDS["fault"], sentence, scope["path"])(scope, receive, send)


# The application


def api(service: Service, database: Database, submit: Submitter) -> FastAPI:
    """The API over a store, to be mounted at /api/v1 behind the gate.

    `submit` is best a worker of its own, so that a large file keeps no page waiting.
    """
    submission.remove_left_behind(service.store)
    app = FastAPI(
        title="Fairtier",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        routes=list(router.routes),  # not included, so that each can be listed by its path
        middleware=[Middleware(Faults, store=service.store)],
        exception_handlers={
            UserError: _on_user_error,
            HTTPException: _on_http_error,
            RequestValidationError: _on_invalid,
        },
    )
    app.state.behind = Behind(service, database, submit)
    described = app.openapi
    app.openapi = functools.cache(lambda: _as_problems(described()))  # type: ignore[method-assign]
    return app


def _as_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with errors as they are sent, in place of FastAPI's own."""
    document["servers"] = [{"url": "/api/v1"}]
    for methods in document["paths"].values():
        for operation in methods.values():
            told: dict[str, Any] = operation["responses"]
            if "HTTPValidationError" in json.dumps(told.get("422", {})):
                del told["422"]
            for status, answer in told.items():
                if int(status) >= 400:
                    (schema,) = answer["content"].values()
                    answer["content"] = {MEDIA_TYPE: schema}
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    return document
