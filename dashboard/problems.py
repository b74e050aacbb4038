"""Errors as programs read them: problem details (RFC 9457), in the sentences people read too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from data.errors import (
    BadOption,
    NotAllowed,
    NotOnRecord,
    ReturnConflict,
    ReturnRefused,
    SignInRefused,
    StoreError,
    UnknownFlag,
    UnknownRule,
    UnknownTable,
    UnusableFile,
    UnusableOffer,
    UserError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROOT = "/api/v1"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One kind of problem; `meaning` says what a program should do about it."""

    id: str
    status: int
    title: str
    meaning: str

    @property
    def type(self) -> str:
        """The address that names the kind, and tells about it."""
        return f"{ROOT}/problems/{self.id}"


KINDS: Mapping[str, Kind] = {
    kind.id: kind
    for kind in (
        Kind(
            "bad-request",
            400,
            "The request could not be understood",
            "Something in the address or the headers is not as it should be: the detail says what. "
            "The same request will be refused again.",
        ),
        Kind(
            "token-refused",
            401,
            "The token does not hold",
            "No token was sent, or it is not known, was ended or is past its end. Send one in the "
            "header Authorization: Bearer ft_... .",
        ),
        Kind(
            "not-allowed",
            403,
            "Not allowed",
            "The token does not have the permission, or its organisation may not report for "
            "another one.",
        ),
        Kind(
            "not-found",
            404,
            "Not found",
            "There is nothing of that name, or it is not yours to see: which of the two is not "
            "told.",
        ),
        Kind("wrong-method", 405, "Wrong method", "The header Allow names those there are."),
        Kind(
            "too-slow",
            408,
            "The request came too slowly",
            "Nothing was recorded. Send it again over a better connection.",
        ),
        Kind(
            "conflict",
            409,
            "Another return came in meanwhile",
            "Another return for the same months was recorded while this one was being checked. "
            "Look at your returns, and send it again if it should replace that one.",
        ),
        Kind(
            "too-large",
            413,
            "Too large",
            "The file is larger than this server takes. Split it by months.",
        ),
        Kind(
            "unusable-file",
            415,
            "The file cannot be read as a table",
            "It is empty, damaged, protected with a password or something other than CSV, TSV, "
            "XLSX, XLS or ODS. Nothing was recorded.",
        ),
        Kind(
            "return-refused",
            422,
            "The checks refused the return",
            "Nothing was recorded. The findings say which rows to mend and how; send the mended "
            "file.",
        ),
        Kind(
            "fault",
            500,
            "A fault of the server",
            "Whoever runs the server can find it by the letters in brackets. Look at your returns "
            "before you send one again.",
        ),
        Kind(
            "busy",
            503,
            "Too many files at once",
            "Wait for the seconds in the header Retry-After and send it again.",
        ),
        Kind(
            "unreachable",
            503,
            "The records cannot be reached",
            "Wait for the seconds in the header Retry-After and send it again; a return that was "
            "recorded already is not recorded twice.",
        ),
    )
}
_BY_ERROR: Mapping[type[UserError], str] = {
    BadOption: "bad-request",
    NotAllowed: "not-allowed",
    NotOnRecord: "not-found",
    ReturnConflict: "conflict",
    ReturnRefused: "return-refused",
    SignInRefused: "token-refused",
    StoreError: "unreachable",
    UnknownFlag: "not-found",
    UnknownRule: "bad-request",
    UnknownTable: "not-found",
    UnusableFile: "unusable-file",
    UnusableOffer: "unusable-file",
}
_BY_STATUS: Mapping[int, str] = {
    400: "bad-request",
    401: "token-refused",
    403: "not-allowed",
    404: "not-found",
    405: "wrong-method",
    408: "too-slow",
    413: "too-large",
    415: "unusable-file",
    500: "fault",
    503: "unreachable",
}
_HEADERS: Mapping[str, Mapping[str, str]] = {
    "token-refused": {"www-authenticate": "Bearer"},
    "busy": {"retry-after": "30"},
    "unreachable": {"retry-after": "30"},
}


class Problem(UserError):
    """A problem that only the API knows, of one of the KINDS."""

    def __init__(self, kind_id: str, sentence: str):
        super().__init__(sentence)
        self.kind_id = kind_id


def kind_of(error: UserError) -> Kind:
    """The kind of problem that an error is."""
    if isinstance(error, Problem):
        return KINDS[error.kind_id]
    return KINDS[
        next((_BY_ERROR[one] for one in type(error).mro() if one in _BY_ERROR), "bad-request")
    ]


def content(kind: Kind, detail: str, instance: str) -> dict[str, Any]:
    """A problem as JSON has it; `instance` is the path that was asked for."""
    return {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": instance,
    }


def problem(
    kind: Kind, detail: str, instance: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that tells of a problem."""
    return Response(
        json.dumps(content(kind, detail, instance), ensure_ascii=False),
        kind.status,
        {**_HEADERS.get(kind.id, {}), **(headers or {})},
        MEDIA_TYPE,
    )


def problem_of(error: UserError, instance: str, store: Path) -> Response:
    """The answer that tells of an error; it never says where on the server the store is."""
    from dashboard.gate import UNREACHABLE  # noqa: PLC0415 - the gate answers with problems too

    kind = kind_of(error)
    if isinstance(error, StoreError):
        return problem(kind, UNREACHABLE, instance)
    return problem(kind, without_paths(str(error), store), instance)


def problem_of_status(
    status: int, detail: str, instance: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer for a status that a server in front of the API gives."""
    kind = KINDS[_BY_STATUS.get(status, "bad-request" if status < 500 else "fault")]
    return problem(kind, detail, instance, headers)


def without_paths(sentence: str, store: Path) -> str:
    """A sentence in which no place on the server is named."""
    for named in (f'"{store}"', str(store.absolute())):
        sentence = sentence.replace(named, "(the store)")
    return sentence
