"""The `fairtier` command."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import sys
import traceback
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from data.errors import BadOption, ReturnRefused, StoreError, UserError
from data.settings import store_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from data.ledger import Receipt

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

P = ParamSpec("P")
R = TypeVar("R")


class Day(click.ParamType[dt.date]):
    """A day, 2012-03-31 or 31/03/2012."""

    name = "date"

    def convert(
        self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> dt.date:
        """The day, or BadOption."""
        from data.parse import parse_date

        return value if isinstance(value, dt.date) else parse_date(value)


class Month(click.ParamType[dt.date]):
    """A month, 2012-03."""

    name = "month"

    def convert(
        self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> dt.date:
        """The first day of the month, or BadOption."""
        from data.parse import parse_month

        return value if isinstance(value, dt.date) else parse_month(value)


_chosen_store = [store_path()]


def remember_store(_ctx: click.Context, _param: click.Parameter, store: Path) -> Path:
    """Keep the store that was named, for a report of a bug."""
    _chosen_store.append(store)
    return store


def with_store(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the option --store."""
    return click.option(
        "--store",
        callback=remember_store,
        type=click.Path(path_type=Path, file_okay=True),
        default=store_path,
        show_default="$FAIRTIER_STORE, else var",
        help="Folder that holds the ledger.",
    )(command)


def as_reporter(required: bool) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give a command the options that say whose return it is."""

    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        for option in (
            click.option(
                "--received-on", type=Day(), help="Day it was received; today unless set."
            ),
            click.option("--covers", metavar="MONTHS", help="Months covered: 2011-06..2012-03."),
            click.option(
                "--by", required=required, metavar="ORG", help="Organisation that reports."
            ),
        ):
            command = option(command)
        return command

    return decorate


@contextlib.contextmanager
def progress(message: str = "") -> Iterator[Callable[[str], None]]:
    """Show the stage that long work is at, on a terminal only."""
    with err.status(Text(message)) as status:
        yield lambda stage: status.update(Text(f"{message} {stage}".strip()))


def say(text: str, style: str = "", console: Console = out) -> None:
    """Print text as it is: what stands in it is data, not markup."""
    console.print(Text(text, style=style), soft_wrap=True)


def print_json(answer: Any) -> None:
    """Print an answer for programs."""
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False))


def row_list(rows: tuple[int, ...], most: int = 8) -> str:
    """Rows for a line of text: the first few, and how many more."""
    shown = ", ".join(str(row) for row in rows[:most])
    return shown + (f" and {len(rows) - most} more" if len(rows) > most else "")


def print_verdict(verdict: Any) -> None:
    """Say what the checks found, refusals first."""
    order = {"refuse": 0, "warn": 1}
    for notice in verdict.notices:
        say(f"{verdict.file}: {notice}", "dim")
    for finding in sorted(verdict.findings, key=lambda finding: order[finding.severity]):
        refused = finding.severity == "refuse"
        say(
            f"{'REFUSED' if refused else 'WARNING'}  {finding.message}",
            "red" if refused else "yellow",
        )
        if finding.rows:
            say(f"         Rows: {row_list(finding.rows)}", "dim")
        say(f"         {finding.remedy}")
    statuses = [outcome.status for outcome in verdict.outcomes]
    passed, skipped = statuses.count("passed"), statuses.count("not_applicable")
    failed = statuses.count("failed")
    say(
        f"{verdict.file}: {verdict.rows:,} rows as {verdict.table}: "
        f"{passed} checks passed, {failed} failed, {skipped} did not apply.",
        "bold",
    )


class Fairtier(click.Group):
    """The command group: every error is one sentence and an honest exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; UserErrors become one sentence, anything else a bug with an id."""
        try:
            return super().main(*args, **(kwargs | {"standalone_mode": False}))
        except UserError as error:
            say(str(error), "red", err)
            sys.exit(error.exit_code)
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            say("Stopped. A return that was not yet recorded has left no trace.", "red", err)
            sys.exit(130)
        except BrokenPipeError:
            sys.exit(0)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EIO):
                say(report_bug(error), "red", err)
                sys.exit(3)
            say(
                f"The answer could not be written ({error.strerror}). What the command did is "
                "done: `fairtier history` shows it.",
                "red",
                err,
            )
            sys.exit(2)
        except Exception as error:
            say(report_bug(error), "red", err)
            sys.exit(3)


def report_bug(error: BaseException, store: Path | None = None) -> str:
    """Note where a bug struck, never what the data were, and say so in a sentence.

    The note goes into the store, or where there is none into the folder for temporary files.
    """
    import tempfile

    bug_id = uuid.uuid4().hex[:8]
    frames = traceback.extract_tb(error.__traceback__)
    steps = "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    text = f"{dt.datetime.now(dt.UTC).isoformat()} {bug_id} {type(error).__name__}\n{steps}\n"
    folder = store or _chosen_store[-1]
    place = (
        folder / "errors.log"
        if folder.is_dir()
        else Path(tempfile.gettempdir()) / "fairtier-errors.log"
    )
    try:
        with place.open("a", encoding="utf-8") as log:
            log.write(text)
    except OSError:
        place = Path()
    where = f' "{place}" says where, without any of your data: please send it in.'
    return (
        f"Fairtier failed through a fault of its own ({bug_id}, {type(error).__name__})."
        f"{where if place.name else ''} `fairtier history` shows what was recorded."
    )


@click.group(cls=Fairtier, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fairtier")
def main() -> None:
    """Shows how fairly supply chains of outsourced services treat their subcontractors."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def templates(folder: Path) -> None:
    """Write the CSV and XLSX templates and the Table Schema descriptors to FOLDER."""
    from data.templates import write_templates

    written = write_templates(folder)
    say(f"{len(written)} files written to {folder}.")


@main.command()
@click.argument("table")
@click.argument("file", type=click.Path(path_type=Path))
@as_reporter(required=False)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.option("--annotated", type=click.Path(path_type=Path), help="Write a workbook to mend.")
@with_store
def check(
    table: str,
    file: Path,
    by: str | None,
    covers: str | None,
    received_on: dt.date | None,
    as_json: bool,
    annotated: Path | None,
    store: Path,
) -> None:
    """Check FILE as a return of TABLE and store nothing."""
    from dashboard.service import Service

    try:
        with progress(f"{file.name}:") as stage:
            draft = Service(store).examine(
                table, file, by=by, covers=covers, received_on=received_on, progress=stage
            )
    except UserError as error:
        if as_json:
            print_json({"error": str(error)})
        raise
    if annotated and draft.sheet is not None:
        from checks.annotated import annotated_workbook

        write_file(annotated, annotated_workbook(draft.sheet, draft.verdict))
    if as_json:
        print_json(draft.verdict.answer())
    else:
        print_verdict(draft.verdict)
        say("Fit to submit." if draft.verdict.fit else "Not fit: mend what is refused.", "bold")
    sys.exit(0 if draft.verdict.fit else 1)


def write_file(path: Path, content: bytes) -> None:
    """Write an output file; StoreError if the place refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(
            f'"{path}" cannot be written: {error.strerror}. Name a file that you may write to.'
        ) from error


def print_receipt(receipt: Any) -> None:
    """Say what recording a return did."""
    entry = receipt.entry
    what = "a nil return" if entry.nil else f"{entry.row_count:,} rows"
    if receipt.already:
        say(
            f"Already recorded on {entry.recorded_at:%Y-%m-%d} as return {entry.return_id}; "
            "nothing changed.",
            "bold",
        )
        return
    replaced = f" It replaces {', '.join(entry.replaced)} there." if entry.replaced else ""
    back_dated = f" Received on {entry.received_on}." if entry.back_dated else ""
    say(
        f"Recorded as return {entry.return_id}: {what} of {entry.table} by {entry.reporter_id}, "
        f"{entry.covers}.{replaced}{back_dated}",
        "bold green",
    )


@main.command()
@click.argument("table")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@as_reporter(required=True)
@click.option("--nil", is_flag=True, help="There was nothing to report in the months covered.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@with_store
def submit(
    table: str,
    file: Path | None,
    by: str,
    covers: str | None,
    received_on: dt.date | None,
    nil: bool,
    as_json: bool,
    store: Path,
) -> None:
    """Check FILE and record it as a return of TABLE."""
    from dashboard.service import Service

    service = Service(store)
    if nil == (file is not None):
        raise BadOption("Give either a file or --nil, which says that there was nothing to report.")
    if file is None:
        draft = service.examine_nil(table, by=by, covers=covers, received_on=received_on)
        receipt: Receipt | None = service.record(draft)
    else:
        with progress(f"{file.name}:") as stage:
            draft = service.examine(
                table, file, by=by, covers=covers, received_on=received_on, progress=stage
            )
            receipt = service.record(draft, stage) if draft.verdict.fit else None
    if as_json:
        answer = {"effects": list(draft.effects), "return": receipt and receipt_answer(receipt)}
        print_json(draft.verdict.answer() | answer)
    else:
        if file is not None:
            print_verdict(draft.verdict)
        if receipt and not receipt.already:
            print_effects(draft.effects)
        if receipt:
            print_receipt(receipt)
    if receipt is None:
        raise ReturnRefused(
            f'"{file}" was refused; nothing was stored. Mend the rows and try again.'
        )


def print_effects(effects: Sequence[str], label: str = "") -> None:
    """Say what recording a return changes beyond adding its rows."""
    for effect in effects:
        say(f"NOTE     {label}{effect}", "yellow")


def receipt_answer(receipt: Any) -> dict[str, Any]:
    """What recording a return did, as JSON."""
    entry = receipt.entry
    return {
        "return_id": entry.return_id,
        "already": receipt.already,
        "table": entry.table,
        "by": entry.reporter_id,
        "covers": [f"{month:%Y-%m}" for month in entry.months],
        "rows": entry.row_count,
        "sha256": entry.file_sha256,
        "replaced": list(entry.replaced),
    }


@main.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--keep-going", is_flag=True, help="Go on after a refusal.")
@with_store
def load(manifest: Path, keep_going: bool, store: Path) -> None:
    """Submit the returns listed in MANIFEST (JSON), in order."""
    from dashboard.service import Service

    sys.exit(load_returns(Service(store), manifest, keep_going))


def load_returns(service: Any, manifest: Path, keep_going: bool = False, notes: bool = True) -> int:
    """Submit a manifest's returns, saying what went in and with what effect; the exit code."""
    counts = {"recorded": 0, "already there": 0, "refused": 0}
    worst = 0
    total = len(service.deliveries(manifest))
    with progress(f"Loading {total} returns") as stage:
        for number, (delivery, draft, result) in enumerate(service.load(manifest, stage), start=1):
            name = delivery.file.name if delivery.file else "nil return"
            label = f"{delivery.table} {name} by {delivery.by}"
            if isinstance(result, UserError):
                counts["refused"] += 1
                worst = max(worst, result.exit_code)
                if draft is not None and not draft.verdict.fit:
                    print_verdict(draft.verdict)
                say(f"REFUSED  {label}: {result}", "red")
                if not keep_going:
                    break
                continue
            counts["already there" if result.already else "recorded"] += 1
            for finding in draft.verdict.warnings:
                say(f"WARNING  {label}: {finding.message}", "yellow")
            if notes and not result.already:
                print_effects((*draft.verdict.notices, *draft.effects), f"{label}: ")
                if result.entry.replaced:
                    print_effects([f"replaces {', '.join(result.entry.replaced)}."], f"{label}: ")
            stage(f"({number} of {total})")
    done = sum(counts.values())
    say(", ".join(f"{count} {what}" for what, count in counts.items() if count) + ".", "bold")
    if done < total:
        say(f"Stopped at entry {done} of {total}; --keep-going goes on after a refusal.")
    return worst


STATUS_STYLES = {
    "raised": "bold red",
    "watch": "yellow",
    "too_early": "cyan",
    "not_reported": "cyan",
    "clear": "",
    "not_applicable": "dim",
}


def print_flags(report: Any, every: bool = False) -> None:
    """The flags as a table, raised ones first: those alone, or all."""
    order = list(STATUS_STYLES)
    shown = sorted(
        (a for a in report.assessments if every or a.status == "raised"),
        key=lambda a: order.index(a.status),
    )
    title = f"{'Every flag' if every else 'Flags raised'} as of {report.as_of}"
    grid = Grid(title=title, title_justify="left", expand=True, show_lines=True)
    for heading in ("flag", "status", "contract", "subcontractor"):
        grid.add_column(heading, overflow="fold")
    grid.add_column("what it says", overflow="fold", ratio=1)
    for assessment in shown:
        cells = (
            assessment.flag,
            assessment.status,
            assessment.contract_id,
            assessment.subcontractor_id or "(whole contract)",
            assessment.sentence,
        )
        style = STATUS_STYLES[assessment.status]
        grid.add_row(*(Text(cell, style=style if n < 2 else "") for n, cell in enumerate(cells)))
    if not report.assessments:
        say(f"Nothing to assess was known on {report.as_of}: no agreement was recorded by then.")
        return
    if shown:
        out.print(grid)
    else:
        say(f"No flag is raised as of {report.as_of}.", "bold")
    for flag in dict.fromkeys(a.flag for a in report.assessments):
        mine = [a.status for a in report.assessments if a.flag == flag]
        counts = ", ".join(f"{mine.count(status)} {status}" for status in order if status in mine)
        say(f"{flag}: {len(mine)} assessed: {counts}")
    if not every and len(shown) < len(report.assessments):
        say("Add --all to see the others, each with its reason.", "dim")
    for sentence in report.warnings:
        say(f"WARNING  {sentence}", "yellow")
    for sentence in report.what_if:
        say(f"WHAT IF  {sentence.removeprefix('What if, ')}", "yellow")
    most = len(report.notes) if every else MOST_NOTES
    for sentence in report.notes[:most]:
        say(f"NOTE     {sentence}", "dim")
    if len(report.notes) > most:
        say(f"NOTE     {len(report.notes) - most} more of this kind; --all shows them.", "dim")


MOST_NOTES = 5


def rule_values(rules: tuple[str, ...]) -> dict[str, str]:
    """Rules given as `management_fee=0.20`."""
    values = {}
    for rule in rules:
        name, equals, value = rule.partition("=")
        if not equals:
            raise BadOption(f'We read "--rule {rule}". Write it as --rule management_fee=0.20.')
        values[name.strip()] = value.strip()
    return values


@main.command()
@click.option("--as-of", type=Day(), help="What was known on this day; today unless set.")
@click.option("--through", type=Month(), help="Last month to look at.")
@click.option("--rule", "rules", multiple=True, metavar="NAME=VALUE", help="Override a rule.")
@click.option("--all", "every", is_flag=True, help="Show clear and undecided ones too.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Write a CSV file.")
@click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb")
@with_store
def flags(
    as_of: dt.date | None,
    through: dt.date | None,
    rules: tuple[str, ...],
    every: bool,
    as_json: bool,
    csv_file: Path | None,
    engine: str,
    store: Path,
) -> None:
    """Show every flag."""
    from dashboard.service import Service

    if engine == "spark":
        raise BadOption(
            "This version does not have the Spark engine yet. Leave out --engine: DuckDB answers "
            "the same questions on this machine."
        )

    with progress("Assessing"):
        report = Service(store).flags(as_of=as_of, through=through, overrides=rule_values(rules))
    if csv_file:
        from dashboard.exports import flags_csv

        write_file(csv_file, flags_csv(report.assessments, report.overrides))
    if as_json:
        print_json(report.answer())
    else:
        print_flags(report, every)


@main.command()
@click.argument("flag")
@click.argument("contract")
@click.argument("subcontractor", required=False)
@click.option("--as-of", type=Day(), help="What was known on this day; today unless set.")
@click.option("--through", type=Month(), help="Last month to look at.")
@click.option("--rule", "rules", multiple=True, metavar="NAME=VALUE", help="Override a rule.")
@click.option(
    "--asker", metavar="ORG", help="Who asks: rows that others reported are only counted."
)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, with every row.")
@with_store
def explain(
    flag: str,
    contract: str,
    subcontractor: str | None,
    as_of: dt.date | None,
    through: dt.date | None,
    rules: tuple[str, ...],
    asker: str | None,
    as_json: bool,
    store: Path,
) -> None:
    """Tell what FLAG says about CONTRACT and SUBCONTRACTOR in full.

    Without SUBCONTRACTOR it is about the whole contract.
    """
    from dashboard.service import Service

    with progress("Assessing"):
        explanation = Service(store).explain(
            flag,
            contract,
            subcontractor,
            as_of=as_of,
            through=through,
            overrides=rule_values(rules),
            asker_id=asker,
        )
    if as_json:
        print_json(explanation.answer())
    else:
        print_explanation(explanation)


def print_explanation(explanation: Any) -> None:
    """One answer as a story: what was promised, what happened, the sums, the rule, the rows."""
    from dashboard.words import STATUSES, about, row_words, told

    found = explanation.assessment
    style = STATUS_STYLES[found.status]
    say(f"{explanation.flag.title}: {STATUSES[found.status][0].lower()}", style or "bold")
    say(about(explanation), "dim")
    for override in explanation.overrides:
        say(f"WHAT IF  not as in the register: {override.sentence}.", "yellow")
    print_paragraph(told(found.sentence))
    for heading, sentences in explanation.sections:
        print_section(heading, sentences)
    groups = explanation.row_groups
    lines = [
        f"{explanation.name(group.reporter_id)}: {row_words(group)}: {group.part}"
        for group in groups
    ]
    print_section("The rows behind it", lines or ("No row: it rests on what was not reported.",))


def print_section(heading: str, sentences: Sequence[str]) -> None:
    """A heading with a list below it."""
    say("")
    say(heading, "bold")
    for sentence in sentences:
        print_paragraph(sentence, "- ")


def print_paragraph(text: str, mark: str = "") -> None:
    """Text wrapped at the width of the terminal, indented under its mark."""
    import textwrap

    below = " " * len(mark)
    width = max(out.width, 40)
    lines = textwrap.wrap(
        text, width, initial_indent=mark, subsequent_indent=below, break_on_hyphens=False
    )
    for line in lines or [mark]:
        say(line)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@with_store
def history(as_json: bool, store: Path) -> None:
    """Show the returns: who, what, when, which months, what they replaced."""
    from dashboard.service import Service

    service = Service(store)
    service.ledger()
    entries = service.history()
    if as_json:
        from dataclasses import asdict

        print_json(json.loads(json.dumps([asdict(entry) for entry in entries], default=str)))
        return
    grid = Grid(expand=True)
    for heading in (
        "#",
        "return",
        "table",
        "by",
        "covers",
        "received",
        "rows",
        "file",
        "sha-256",
        "replaced",
    ):
        grid.add_column(heading, overflow="fold")
    for entry in entries:
        cells = (
            str(entry.sequence),
            entry.return_id,
            entry.table,
            entry.reporter_id,
            entry.covers,
            f"{entry.received_on}" + (" (back-dated)" if entry.back_dated else ""),
            "nil" if entry.nil else f"{entry.row_count:,}",
            entry.file_name,
            entry.file_sha256[:12],
            ", ".join(entry.replaced),
        )
        grid.add_row(*(Text(cell) for cell in cells))
    out.print(grid)


@main.command()
@with_store
def verify(store: Path) -> None:
    """Re-read every stored return and the audit chain; exit 1 if anything was altered."""
    from dashboard.service import Service

    with progress("Verifying:") as stage:
        inspection = Service(store).verify(stage)
    for note in inspection.notes:
        say(f"NOTE     {note}", "dim")
    for fault in inspection.faults:
        say(f"ALTERED  {fault}", "red")
    say(f"{inspection.return_count} returns and {inspection.row_count:,} rows re-read.")
    if inspection.faults:
        sys.exit(1)
    say(
        f"Nothing was altered. The chain ends in {inspection.head_hash or '(empty)'}.", "bold green"
    )


@main.command()
@click.option("--no-serve", is_flag=True, help="Stop after the flags.")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=None,
    show_default="var/demo",
    help="Folder for the example; it must be empty or hold the example already.",
)
def demo(no_serve: bool, port: int, store: Path | None) -> None:
    """Build the worked example through the real checks, show its flags, serve the dashboard."""
    import hashlib
    import tempfile

    from dashboard.service import Service
    from data.demo.chain import write_chain

    place = store or store_path() / "demo"
    service = Service(place)
    say("Every organisation in this example is invented.", "bold")
    with tempfile.TemporaryDirectory() as folder:
        manifest = write_chain(Path(folder))
        files = [line.file for line in service.deliveries(manifest) if line.file]
        wanted = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        there = {entry.file_sha256 for entry in service.history()}
        code = 0 if wanted <= there else load_returns(service, manifest, notes=False)
    if code:
        raise StoreError(
            f'The example could not be built in "{place}". If the folder holds other returns, name '
            "an empty one with --store."
        )
    print_flags(service.flags())
    if not no_serve:
        run_server(place, port)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@with_store
def serve(port: int, store: Path) -> None:
    """Serve the dashboard on 127.0.0.1, for one operator."""
    run_server(store, port)


def run_server(store: Path, port: int) -> None:
    """Serve until stopped."""
    from dashboard.app import serve_dashboard

    def announce() -> None:
        say(f"The dashboard is at http://127.0.0.1:{port} (stop it with Ctrl+C).", "bold")

    serve_dashboard(store, port, announce)


if __name__ == "__main__":
    main()
