"""Visits everything as everybody, and searches all that comes back for canaries.

A state is one asker, one channel and one address or action. What an asker typed themselves may
come back to them: it is left out of that state's search.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import zipfile
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Error as BrowserError

from data.demo.chain import pounds
from data.tables import TABLES
from tests.canary.chain import MARK, PASSWORD, months_of
from tests.canary.oracle import NOBODY, Oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from playwright.sync_api import BrowserContext, Page, Request, WebSocket

    from tests.canary.chain import World

ROOT = Path(__file__).resolve().parents[2]
SHOWN = "h1, .ft-notice"
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
PUBLISHED = re.compile(r"^(GET )?(/published|/api/v1/published)|^replies published")
_OTHER_MARKS = re.compile(rb"r-[0-9a-f]{12}|(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9a-f])")
_IN_POUNDS = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+|\d+)\.(\d\d)(?!\d)")
_IN_PENCE = re.compile(r"(?<![\w.\-/])\d{5,7}(?![\w.])")
# An address in a message stands behind its length, and before what may look like more of it.
_MEDIA = re.compile(rb"([\x00-\x7f])(/media/[\w.-]+)", re.DOTALL)
# Where a drawing's marks stand, and how large they are: such a number is no amount of money.
_PLACES = re.compile(
    rb"""\s(?:style|transform|d|points|viewBox|[xyr][12]?|c[xy]|width|height)="[^"]*\""""
)
COMMAND_CHANNEL, API, DOWNLOADS, HTTP, PAGES, LOGS = (
    "command",
    "api",
    "download",
    "http",
    "browser",
    "log",
)


@dataclass(frozen=True)
class Leak:
    """A canary where it must not be."""

    who: str | None
    channel: str
    address: str
    mark: str
    whose: str

    def __str__(self) -> str:
        return (
            f"{self.who or 'nobody'} [{self.channel}] {self.address}: {self.mark} is {self.whose}"
        )


@dataclass
class Visits:
    """What was visited and what was found in it."""

    world: World
    oracle: Oracle = field(init=False)
    states: set[tuple[str | None, str, str]] = field(default_factory=set)
    leaks: list[Leak] = field(default_factory=list)
    seen: dict[tuple[str | None, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    statuses: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    last: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.oracle = Oracle(self.world)

    def note(
        self,
        who: str | None,
        channel: str,
        address: str,
        *contents: bytes,
        typed: str | bytes = "",
        text: bool = True,
    ) -> None:
        """Search what an asker was given in one state."""
        self.states.add((who, channel, address))
        now = time.monotonic()
        self.seconds[channel] += now - self.last
        self.last = now
        typed = typed.encode() if isinstance(typed, str) else typed
        own_words = set(marks_in(typed + address.encode()))
        own_amounts = set(amounts_in(typed.decode("latin-1"), pence=True))
        published = bool(PUBLISHED.search(address))
        found: set[str] = set()
        amounts: set[int] = set()
        for content in contents:
            for part in unpacked(content):
                found.update(marks_in(part))
                if text:
                    readable = part.decode("latin-1")
                    amounts.update(amounts_in(readable, pence=_is_text(part)))
        for mark in sorted(found - own_words):
            canary = self.world.canaries.get(mark)
            if canary is None:
                continue
            if self.oracle.may_know(who, canary, published=published):
                self.seen[who, channel].add(mark)
            else:
                self.leaks.append(Leak(who, channel, address, mark, str(canary)))
        for pence in sorted(amounts - own_amounts):
            amount = self.world.amounts.get(pence)
            if amount is not None and not self.oracle.may_know_amount(who, amount):
                self.leaks.append(Leak(who, channel, address, pounds(pence), str(amount)))

    def by_channel(self) -> dict[str, int]:
        """How many states were visited by each channel."""
        counts: dict[str, int] = defaultdict(int)
        for _, channel, _ in self.states:
            counts[channel] += 1
        return dict(sorted(counts.items()))

    def addresses(self, channel: str) -> set[str]:
        """The addresses that were visited by a channel, by anybody."""
        return {address for _, one, address in self.states if one == channel}


def marks_in(content: bytes) -> set[str]:
    """All that could be a canary's mark, as the world names them."""
    found = {one.decode().upper() for one in MARK.findall(content)}
    return found | {one.decode().upper() for one in _OTHER_MARKS.findall(content.lower())}


def amounts_in(content: str, *, pence: bool) -> set[int]:
    """All that could be an amount, in pence."""
    found = {int(w.replace(",", "")) * 100 + int(p) for w, p in _IN_POUNDS.findall(content)}
    return found | ({int(one) for one in _IN_PENCE.findall(content)} if pence else set())


def unpacked(content: bytes) -> Iterator[bytes]:
    """The content, and what is inside it where it is packed."""
    yield content
    if content.startswith(b"PK"):
        with (
            contextlib.suppress(zipfile.BadZipFile),
            zipfile.ZipFile(io.BytesIO(content)) as packed,
        ):
            for name in packed.namelist():
                yield name.encode() + b"\n" + packed.read(name)
    if content.startswith(b"\x1f\x8b"):
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(content, 31)


def _is_text(content: bytes) -> bool:
    return b"\x00" not in content


def mistyped(identifier: str) -> str:
    """An id that is one letter off, and nobody's."""
    return f"{identifier[:-1]}Y"


# Who asks for what


@dataclass(frozen=True)
class Targets:
    """What an asker asks about: its own, others', and what does not exist but nearly does."""

    own: list[tuple[str, str]]
    foreign: list[tuple[str, str]]
    own_returns: list[str]
    foreign_returns: list[str]

    @property
    def nearly(self) -> list[tuple[str, str]]:
        """Others' agreements with one letter wrong."""
        return [
            pair
            for contract, who in self.foreign[:1]
            for pair in ((mistyped(contract), who), (contract, mistyped(who) if who else ""))
        ]


def targets(world: World, who: str | None, most: int) -> Targets:
    """What there is for an asker, some of it: whole contracts have no subcontractor."""
    oracle = Oracle(world)
    pairs = sorted(world.agreements) + [(contract, "") for contract in sorted(world.contracts)]

    def mine(pair: tuple[str, str]) -> bool:
        contract, subcontractor = pair
        if who is NOBODY:
            return False
        return who == world.network or oracle.sees_agreement(who, contract, subcontractor)

    rows = Counter(
        (one.contract_id, one.subcontractor_id)
        for one in world.canaries.values()
        if one.kind == "row"
    )
    own = sorted((pair for pair in pairs if mine(pair)), key=lambda pair: (-rows[pair], pair))
    foreign = [pair for pair in pairs if not mine(pair)]
    foreign.sort(key=lambda pair: (who is None or not oracle.is_party(who, pair[0]), pair))
    mine_sent = world.returns.get(who or "", [])
    others = sorted(r for by, sent in world.returns.items() for r in sent if by != who)
    spread = foreign[:: max(1, len(foreign) // most)] if foreign else []
    return Targets(own[:most], spread[:most], mine_sent[:most], others[:: max(1, len(others) // 3)])


def good_file(world: World, who: str | None) -> tuple[str, Path, str] | None:
    """A return as its sender sent it; recording it again changes nothing."""
    sent = world.files.get(who or "", [])
    return next((one for one in sent if one[0] == "referrals"), sent[0] if sent else None)


def probing_file(world: World, who: str | None, table_id: str) -> str:
    """A file that names what is others', exactly and nearly, among rows with mistakes."""
    table = TABLES[table_id]
    asked = targets(world, who, 3)
    mine = asked.own[:1] or [("EXAMPLE-NONE", "XX-EXAMPLE-NONE")]
    foreign = asked.foreign[:2] or mine
    pairs = [*mine, *foreign]
    pairs += [(mistyped(c), s) for c, s in foreign] + [(c, mistyped(s or "XX")) for c, s in foreign]
    pairs += [(mine[0][0], foreign[-1][1])]
    other = next(iter(world.members))
    lines = [",".join(table.column_ids)]
    for number, (contract, subcontractor) in enumerate(pairs):
        cells = []
        for column in table.columns:
            value = column.example
            if column.id == "contract_id":
                value = contract
            elif column.id in ("subcontractor_id", "organisation_id", "prime_id"):
                value = subcontractor or mistyped(other)
            elif column.id == "commissioner_id":
                value = who or ""
            elif column.id in ("referral_id", "payment_id"):
                value = f"N-{number}"
            elif column.kind == "client_ref":
                value = f"client {number}"
            if number == 1 and column.kind == "date":
                value = "the day before"
            cells.append(value)
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


# The server


@dataclass
class Running:
    """A shared server of a store, and the sessions of those who signed in by HTTP."""

    url: str
    store: Path
    log: Path
    client: httpx.Client
    cookies: dict[str | None, dict[str, str]] = field(default_factory=dict)

    def cookie(self, world: World, who: str | None) -> dict[str, str]:
        """The cookies of an organisation's person, signed in when first asked."""
        if who is NOBODY:
            return {}
        if who not in self.cookies:
            answer = self.client.post(
                f"{self.url}/sign-in",
                data={"email": world.email(who), "password": PASSWORD},
                headers={"origin": self.url},
            )
            assert answer.status_code == 303, answer.text
            self.cookies[who] = {name: str(value) for name, value in answer.cookies.items()}
            self.client.cookies.clear()
        return self.cookies[who]

    def get(self, path: str, **more: Any) -> httpx.Response:
        """What the server answers; nothing is remembered from one question to the next."""
        cookies = more.pop("cookies", {})
        headers = more.pop("headers", {})
        if cookies:
            headers = headers | {"cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
        method = more.pop("method", "GET")
        answer = self.client.request(method, self.url + path, headers=headers, **more)
        self.client.cookies.clear()
        return answer


def _free_port() -> int:
    """A free port of four digits: one of five would now and then be an amount in pence."""
    for port in range(8700 + os.getpid() % 1000, 10_000):
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port below 10000 is free")


@contextlib.contextmanager
def serving(store: Path, folder: Path, sabotage: str = "") -> Iterator[Running]:
    """`fairtier serve --shared` in a process of its own; `sabotage` is Python it runs first."""
    folder.mkdir(parents=True)
    hooks = folder / "hooks"
    hooks.mkdir()
    if sabotage:
        (hooks / "sitecustomize.py").write_text(sabotage)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    command = [sys.executable, "-m", "dashboard", "serve", "--shared"]
    command += ["--store", str(store), "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(hooks), str(ROOT)])}
    with log.open("wb") as told, httpx.Client(timeout=180, trust_env=False) as client:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=told, stderr=subprocess.STDOUT
        )
        try:
            for _ in range(600):
                with contextlib.suppress(httpx.TransportError):
                    if client.get(f"{url}/healthz").status_code == 200:
                        break
                assert process.poll() is None, log.read_text()
                time.sleep(0.2)
            yield Running(url, store, log, client)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def read_logs(visits: Visits, running: Running) -> None:
    """The log of the server and the notes of faults are for nobody."""
    visits.note(NOBODY, LOGS, "server.log", running.log.read_bytes())
    errors = running.store / "errors.log"
    visits.note(NOBODY, LOGS, "errors.log", errors.read_bytes() if errors.exists() else b"")


def _noted(
    visits: Visits, who: str | None, channel: str, address: str, answer: Any, typed: Any
) -> Any:
    visits.statuses[channel, answer.status_code] += 1
    visits.note(
        who, channel, address, _head(answer.headers.multi_items()), answer.content, typed=typed
    )
    return answer


def _head(headers: Iterable[tuple[str, str]]) -> bytes:
    """The headers, but for the length of the answer, which is no amount of money either."""
    return repr([one for one in headers if one[0] != "content-length"]).encode()


# Downloads, and every other address of the server


LETTERS = (
    "forecast_revision",
    "contract_forecast_revision",
    "non_utilisation",
    "non_utilisation_request",
    "late_payment_claim",
    "expression_of_interest",
)


def download(visits: Visits, running: Running, who: str | None, most: int, thorough: bool) -> None:
    """Every export, about one's own, about others', and asked wrongly."""
    world = visits.world
    asked = targets(world, who, most)
    flag = "management_fee"
    wanted: list[tuple[str, list[tuple[str, str]]]] = [
        ("flags.csv", []),
        ("flags.csv", [("contract", c) for c, _ in [*asked.foreign, *asked.nearly]]),
        ("flags.csv", [("prime", visits.oracle.prime(c)) for c, _ in asked.foreign]),
        ("audit.csv", []),
        ("audit.csv", [("organisation", world.network)]),
        ("rows.csv", [("table", "prices"), *_about(*(asked.own or [("C", "")])[0])]),
        ("answers.json", []),
        ("nothing.csv", []),
        *((f"merlin.{suffix}", [("prime", "all")]) for suffix in ("docx", "csv", "json")),
        *(("merlin.csv", [("prime", visits.oracle.prime(c))]) for c, _ in asked.foreign[:2]),
    ]
    if thorough:
        wanted += [
            ("flags.csv", [("as_of", "2012-04-01"), ("through", "2012-02")]),
            ("flags.csv", [("rule", "management_fee=0.05"), ("status", "raised")]),
            ("flags.csv", [("rule", "management_fee")]),
        ]
    nearly = asked.nearly if thorough else []
    for pair in [*asked.own, *asked.foreign, *nearly]:
        wanted.append(("answers.json", _about(*pair)))
        kinds = LETTERS if thorough else LETTERS[:2]
        wanted += [("letter.docx", [("kind", kind), *_about(*pair)]) for kind in kinds]
        wanted.append(("letter.txt", [("kind", LETTERS[-1]), *_about(*pair)]))
        wanted += [("rows.csv", [("table", t), *_about(*pair)]) for t in ("referrals", "payments")]
    for pair in [*asked.own[:1], *asked.foreign[:1]] if thorough else []:
        then = [*_about(*pair), ("as_of", "2012-05-01")]
        wanted.append(("answers.json", [*then, ("flag", flag)]))
        wanted.append(("rows.csv", [*then, ("table", "payments")]))
    cookies = running.cookie(world, who)
    for name, parameters in wanted:
        path = f"/downloads/{name}" + (f"?{urlencode(parameters)}" if parameters else "")
        _noted(visits, who, DOWNLOADS, path, running.get(path, cookies=cookies), "")


def _about(contract: str, subcontractor: str) -> list[tuple[str, str]]:
    named = [("contract", contract)]
    return [*named, ("subcontractor", subcontractor)] if subcontractor else named


def plain(visits: Visits, running: Running, who: str | None, paths: Sequence[str]) -> None:
    """Addresses of the server that are neither exports nor for programs."""
    cookies = running.cookie(visits.world, who)
    for path in paths:
        _noted(visits, who, HTTP, path, running.get(path, cookies=cookies), "")


# The API


def ask_api(
    visits: Visits,
    running: Running,
    who: str | None,
    most: int,
    tables: Sequence[str],
    thorough: bool,
) -> None:
    """Every endpoint for programs, with an organisation's token, or without one."""
    world = visits.world
    asked = targets(world, who, most)
    secret = world.secrets[who] if who else ""
    head = {"authorization": f"Bearer {secret}"} if who else {}

    def ask(path: str, method: str = "GET", body: bytes = b"", headers: Any = None) -> None:
        sent: dict[str, Any] = {"content": body} if method == "POST" else {}
        answer = running.get(
            f"/api/v1{path}", method=method, headers=head if headers is None else headers, **sent
        )
        _noted(visits, who, API, f"{method} /api/v1{path}", answer, body + repr(headers).encode())

    for path in ("/openapi.json", "/published", "/problems/not-allowed", "/problems/fault"):
        ask(path)
    for path in ("/returns", "/organisations", "/contracts", "/agreements", "/flags", "/nothing"):
        ask(path)
    for path in ("/organisations", "/contracts", "/agreements", "/flags") if thorough else ():
        ask(f"{path}?as_of=2012-04-01")
    if thorough:
        ask("/flags?as_of=2012-06-01&through=2012-03")
    ask("/flags?as_of=soon")
    ask(f"/flags?contract={quote(asked.foreign[0][0])}" if asked.foreign else "/flags?contract=")
    wrong = [mistyped(one) for one in asked.foreign_returns[:1]]
    for return_id in [*asked.own_returns, *asked.foreign_returns, *wrong]:
        for part in ("", "/rows", "/findings"):
            ask(f"/returns/{return_id}{part}")
    from metrics.catalogue import flags

    all_flags = [one.id for one in flags()]
    nearly = asked.nearly[: None if thorough else 1]
    for number, (contract, subcontractor) in enumerate([*asked.own, *asked.foreign, *nearly]):
        shown = all_flags[number % 3 :: 3] if thorough else ["unreconciled"]
        about = f"?{urlencode({'subcontractor_id': subcontractor})}" if subcontractor else ""
        for flag in shown:
            ask(f"/flags/{flag}/{quote(contract)}{about}")
    if asked.foreign:
        ask(f"/flags/management_fees/{quote(asked.foreign[0][0])}")
    for table in tables:
        content = probing_file(world, who, table).encode()
        for kind in ("checks", "returns"):
            ask(f"/{kind}/{table}", "POST", content)
    ask(f"/checks/{tables[0]}?by={world.prime(1)}", "POST", content)
    # For the network that would not be another's return, so it names nobody.
    another = mistyped(world.prime(1)) if who == world.network else world.prime(1)
    ask(f"/returns/payments?by={another}&nil=true&covers=nonsense", "POST")
    ask("/returns/referrals?nil=true&covers=nonsense", "POST")
    ask("/checks/nonsense", "POST", content)
    good = good_file(world, who)
    if good:
        table, file, covers = good
        more = f"?{urlencode({'covers': covers, 'file_name': file.name})}" if covers else ""
        ask(f"/returns/{table}{more}", "POST", file.read_bytes())
        ask(f"/checks/{table}?covers={months_of(covers)}" if covers else f"/checks/{table}", "POST",
            file.read_bytes())  # fmt: skip
    ask("/returns", "DELETE")
    ask("/flags", headers={"authorization": "Bearer ft_nobodys"})
    ask("/flags", headers={"authorization": f"Basic {secret or 'nobodys'}"})


# Commands


def run_command(visits: Visits, store: Path, who: str, *arguments: str, typed: bytes = b"") -> int:
    """One command, in this process, asked `--as` an organisation."""
    from dashboard import terminal
    from dashboard.__main__ import main

    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        for console in (terminal.out, terminal.err):
            patch.setattr(console, "_width", 2000)  # a folded mark would not be found
        try:
            main([*arguments, "--store", str(store), "--as", who])
        except SystemExit as stop:
            code = int(stop.code or 0)
    asker = NOBODY if who == "public" else who
    said = (out.getvalue() + err.getvalue()).encode()
    assert b"fault of its own" not in said, (arguments, said)
    shown = " ".join(one for one in arguments if not one.startswith("/"))
    visits.statuses[COMMAND_CHANNEL, code] += 1
    visits.note(asker, COMMAND_CHANNEL, shown, said, typed=typed + " ".join(arguments).encode())
    return code


def command(
    visits: Visits,
    store: Path,
    who: str | None,
    folder: Path,
    most: int,
    tables: Sequence[str],
    thorough: bool,
) -> None:
    """Every command that takes `--as`, as an organisation or as the public."""
    from dashboard.__main__ import main
    from metrics.catalogue import flags

    world = visits.world
    asker = who or "public"
    asked = targets(world, who, most)

    def run(*arguments: str, typed: bytes = b"") -> int:
        return run_command(visits, store, asker, *arguments, typed=typed)

    folder.mkdir(parents=True, exist_ok=True)
    written = folder / "flags.csv"
    run("flags", "--json", "--csv", str(written))
    if written.exists():
        visits.note(who, COMMAND_CHANNEL, "flags --csv, the file", written.read_bytes())
    run("history")
    if thorough:
        run("flags")
        run("flags", "--all")
        run("flags", "--all", "--as-of", "2012-04-01", "--through", "2012-02")
        run("flags", "--all", "--rule", "management_fee=0.05")
        run("flags", "--rule", "nonsense=1")
        run("history", "--json")
    all_flags = [one.id for one in flags()]
    nearly = asked.nearly if thorough else []
    for number, pair in enumerate([*asked.own, *asked.foreign, *nearly]):
        about = [one for one in pair if one]
        if thorough:
            run("explain", all_flags[number % len(all_flags)], *about)
        run("explain", "unreconciled" if about[1:] else "not_reported", *about, "--json")
        run("notice", LETTERS[number % len(LETTERS)], *about)
    run("explain", "management_fees", *[one for one in (asked.foreign or asked.own)[0] if one])
    for primes in ("all", *(visits.oracle.prime(c) for c, _ in asked.foreign[:1])):
        run("merlin", primes, "--json")
    for table in tables:
        file = folder / f"{table}.csv"
        file.write_text(probing_file(world, who, table))
        typed = file.read_bytes()
        run("check", table, str(file), typed=typed)
        run("submit", table, str(file), "--by", asker, typed=typed)
        if thorough:
            run("check", table, str(file), "--by", asker, "--json", typed=typed)
        run("submit", table, str(file), "--by", world.prime(1 if who != world.prime(1) else 2),
            typed=typed)  # fmt: skip
    good = good_file(world, who)
    if good and thorough:
        table, path, covers = good
        more = ["--covers", covers] if covers else []
        run("submit", table, str(path), "--by", asker, *more, typed=path.read_bytes())
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps([{"table": tables[0], "file": f"{tables[0]}.csv", "by": asker}]))
    run("load", str(manifest), typed=typed)
    for group in ("replies", "arrange", "embargo", "audit"):
        if group in main.commands:
            _proceedings(run, world, asked, group, visits.oracle, who)


def _proceedings(
    run: Callable[..., int],
    world: World,
    asked: Targets,
    group: str,
    oracle: Oracle,
    who: str | None,
) -> None:
    """The commands about replies, arrangements and the audit."""
    foreign = [one[0] for one in asked.foreign[:1]] or ["EXAMPLE-NONE"]
    if group == "audit":
        run("audit")
        run("audit", "--json")
        return
    if group == "arrange":
        run("arrange")
        run("arrange", "--json")
        if who != world.network:
            run("arrange", "prices_shown", *foreign)
            run("arrange", "confidential", mistyped(foreign[0]))
            run("arrange", "agent", mistyped(next(iter(world.members))))
        return
    if group == "embargo":
        if who != world.network:
            run("embargo", *foreign)
            run("embargo", mistyped(foreign[0]), "--lift")
        return
    run("replies", "list")
    run("replies", "list", "--closed", "--json")
    cases = {mark.lower(): one for mark, one in world.canaries.items() if len(mark) == 32}
    mine = [one for one, case in cases.items() if oracle.may_know(who, case)]
    others = [one for one in cases if one not in mine]
    held = [one for one in others if cases[one].kind == "held case"]
    for case_id in [*mine[:2], *others[:2], *held[:1], "0" * 32]:
        run("replies", "show", case_id)
        run("replies", "show", case_id, "--json")
    for case_id in [*others[:1], *held[:1]]:
        by = who or world.network
        run("replies", "reply", case_id, "--by", by, "--dispute", "--reason", "volume")
        run("replies", "release", case_id, "--by", by)
        run("replies", "decline", case_id, "--by", by)
        if who != world.network:
            run("replies", "decide", case_id, "withheld", "--reason", "so")
            run("replies", "told", case_id, "--org", by, "--on", "2026-11-02", "--text", "so")


def commands_with_asker() -> set[str]:
    """The commands that take `--as`, from the command itself."""
    import click

    from dashboard.__main__ import main

    def below(group: click.Group, before: str = "") -> Iterator[str]:
        for name, one in group.commands.items():
            if isinstance(one, click.Group):
                yield from below(one, f"{before}{name} ")
            elif any(option.name == "asker" for option in one.params):
                yield f"{before}{name}"

    return set(below(main))


# The browser


class Browser:
    """One page of a real browser, and all that it is sent."""

    def __init__(self, visits: Visits, running: Running, context: BrowserContext):
        self.visits = visits
        self.running = running
        self.context = context
        self.who: str | None = NOBODY
        self.page: Page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.media: set[str] = set()
        self._fetched: set[str] = set()
        self._frames: list[bytes] = []
        self._finished: list[Request] = []
        # Of a request that never finished no body ever comes, however long one waits.
        self.page.on("requestfinished", self._keep)
        self.page.on("websocket", self._listen)

    def _keep(self, request: Request) -> None:
        self._finished.append(request)

    def _listen(self, socket: WebSocket) -> None:
        def keep(payload: str | bytes) -> None:
            content = payload if isinstance(payload, bytes) else payload.encode()
            self._frames.append(content)
            for length, path in _MEDIA.findall(content):
                self.media.add(path[: length[0]].decode())

        socket.on("framereceived", keep)

    def note(self, address: str, typed: str | bytes = "") -> None:
        """Search all that came in since the last state, and what the page shows now."""
        bodies = []
        finished, self._finished[:] = list(self._finished), []
        for request in finished:
            path = urlsplit(request.url).path
            if path.startswith("/static/"):
                continue
            with contextlib.suppress(BrowserError):
                response = request.response()
                if response is not None and not 300 <= response.status < 400:
                    bodies += [_head(response.headers.items()), response.body()]
        frames, self._frames[:] = list(self._frames), []
        content = _PLACES.sub(b"", self.page.content().encode())
        self.visits.note(self.who, PAGES, address, content, *frames, *bodies, typed=typed)

    def settle(self) -> None:
        """Wait until the page has stopped working, its tables too."""
        self.page.wait_for_timeout(150)
        self.page.wait_for_selector(READY, timeout=120_000)

    def go(self, address: str) -> None:
        """Open an address, look at all of it, and note the state."""
        self.page.goto(self.running.url + address)
        self.page.wait_for_selector(READY, timeout=120_000)
        self.page.wait_for_selector(SHOWN)
        self._look()
        self.note(address)

    def _look(self) -> None:
        for table in self.page.get_by_test_id("stDataFrame").all():
            with contextlib.suppress(BrowserError):
                table.scroll_into_view_if_needed(timeout=2000)
        self.settle()

    def open_all(self, address: str) -> None:
        """Open all that is folded on the page, and note the state."""
        for one in self.page.locator("[data-testid=stExpander] details:not([open]) summary").all():
            with contextlib.suppress(BrowserError):
                one.click(timeout=1000)
        self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        self._look()
        self.note(f"{address}, unfolded")

    def sign_in(self, who: str) -> None:
        """Sign in by the form, after a wrong password."""
        self.who = NOBODY
        self.context.clear_cookies()
        self.page.goto(f"{self.running.url}/sign-in?next=/agreement")
        self.note("/sign-in?next=/agreement")
        email = self.visits.world.email(who)
        self.page.fill("#email", email)
        self.page.fill("#password", "not the password of this person")
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_selector("[role=alert]")
        self.note("/sign-in with a wrong password", typed=email)
        self.page.fill("#email", email)
        self.page.fill("#password", PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_selector(READY, timeout=120_000)
        self.who = who
        self.page.wait_for_selector(SHOWN)
        self._look()
        self.note("/agreement after signing in")

    def sign_out(self) -> None:
        """Sign out in another tab: this one shows nothing more, and neither does the old cookie."""
        other = self.context.new_page()
        other.goto(f"{self.running.url}/sign-out")
        other.get_by_role("button", name="Sign out").click()
        other.wait_for_load_state()
        self.visits.note(self.who, PAGES, "/sign-out", other.content().encode())
        other.close()
        self.note("before the next click")
        with contextlib.suppress(BrowserError):
            self.page.get_by_role("link", name="Method").first.click(timeout=5000)
        self.page.wait_for_timeout(1500)
        self.who = NOBODY
        frames, self._frames[:] = list(self._frames), []
        self.visits.note(NOBODY, PAGES, "a click after signing out elsewhere", *frames)

    def what_if(self) -> None:
        """Ask what another rule would say."""
        self.page.goto(f"{self.running.url}/")
        self.page.wait_for_selector(SHOWN)
        self.settle()
        if self.page.get_by_text("What if a rule were another").count() == 0:
            return
        self.page.get_by_text("What if a rule were another").click()
        self.page.get_by_role("textbox", name="Value", exact=True).fill("5%")
        self.page.keyboard.press("Tab")
        self.settle()
        self.page.get_by_role("button", name="Ask", exact=True).click()
        self.settle()
        self.note("/, what if")

    def narrow(self) -> None:
        """Narrow the overview down to the first contract it offers."""
        if self.page.get_by_text("Narrow down, or look back in time").count() == 0:
            return
        self.page.get_by_text("Narrow down, or look back in time").click()
        box = self.page.get_by_role("combobox", name=re.compile("^Contract"))
        with contextlib.suppress(BrowserError):
            box.click(timeout=5000)
            self.page.get_by_role("option").first.click(timeout=5000)
        self.settle()
        self.note("/, narrowed")

    def upload(self, path: Path) -> None:
        """Choose a file of referrals and read what the checks say."""
        self.page.goto(f"{self.running.url}/upload")
        self.page.wait_for_selector(SHOWN)
        self.settle()
        self.page.locator("input[type=file]").set_input_files(path)
        self.page.get_by_role("heading", name="3. What the checks say").or_(
            self.page.get_by_text("The file could not be checked")
        ).first.wait_for(timeout=120_000)
        self.settle()
        self.note(f"/upload of {path.stem}", typed=path.read_bytes())
        self._offered(path.read_bytes())

    def _offered(self, typed: bytes) -> None:
        """Fetch the files that the page offers, such as the findings marked in the file."""
        cookies = {one["name"]: one["value"] for one in self.context.cookies()}
        for path in sorted(self.media - self._fetched):
            answer = self.running.get(path, cookies=cookies)
            self.visits.statuses["media", answer.status_code] += 1
            self.visits.note(self.who, PAGES, path, answer.content, typed=typed)
        self._fetched |= self.media


def page_addresses() -> list[str]:
    """The addresses of the pages; the first is the overview, at the root."""
    from dashboard.views.navigation import NAMES

    return ["/", *(f"/{name}" for name in NAMES[1:])]


def browse(browser: Browser, who: str, folder: Path, most: int, thorough: bool) -> None:
    """Every page and what can be done there, as one person."""
    world = browser.visits.world
    asked = targets(world, who, most)
    browser.sign_in(who)
    for address in page_addresses():
        browser.go(address)
        if address in ("/", "/replies", "/agreement"):
            browser.open_all(address)
    for number, pair in enumerate([*asked.own, *asked.foreign, *asked.nearly[:1]]):
        address = f"/agreement?{urlencode(_about(*pair))}"
        browser.go(address)
        if number == 0:
            browser.open_all(address)
    if thorough:
        browser.what_if()
        browser.narrow()
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / "probe.csv"
    probe.write_text(probing_file(world, who, "referrals"))
    browser.upload(probe)
    good = good_file(world, who)
    if good and good[0] == "referrals" and thorough:
        browser.upload(good[1])
    browser.go("/")
    browser.sign_out()
