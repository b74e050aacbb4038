"""The `fairtier` command."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table as Grid
from rich.text import Text

from dashboard.commands.accounts import accounts
from dashboard.commands.arrangements import arrange, embargo
from dashboard.commands.audit import audit
from dashboard.commands.backup import backup, restore
from dashboard.commands.merlin import merlin
from dashboard.commands.notices import write_notice
from dashboard.commands.offers import offer
from dashboard.commands.publish import publish_command
from dashboard.commands.replies import replies
from dashboard.commands.tokens import tokens
from dashboard.terminal import (
    Day,
    Fairtier,
    Month,
    as_reporter,
    out,
    print_json,
    progress,
    say,
    with_asker,
    with_store,
    write_file,
)
from data.errors import BadOption, ReturnRefused, StoreError, UserError
from data.settings import store_path
from metrics.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.open_data.release import OpenRelease
    from dashboard.service import Service
    from dashboard.sharing import Sharing
    from data.ledger import Receipt


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
        f"{verdict.file}: {count(verdict.rows, 'row')} as {verdict.table}: "
        f"{passed} checks passed, {failed} failed, {skipped} did not apply.",
        "bold",
    )


@click.group(cls=Fairtier, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fairtier")
def main() -> None:
    """Shows how fairly supply chains of outsourced services treat their subcontractors."""


def asked(store: Path, asker: str | None = None) -> Service:
    """The store as the operator sees it, or as an organisation does."""
    from dashboard.service import Service
    from data.scope import OPERATOR

    return Service(store, OPERATOR).asked_by(asker)


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
@with_asker
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
    asker: str | None,
) -> None:
    """Check FILE as a return of TABLE and store nothing."""
    try:
        with progress(f"{file.name}:") as stage:
            draft = asked(store, asker).examine(
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


def print_receipt(receipt: Any) -> None:
    """Say what recording a return did."""
    entry = receipt.entry
    what = "a nil return" if entry.nil else count(entry.row_count, "row")
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
@with_asker
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
    asker: str | None,
) -> None:
    """Check FILE and record it as a return of TABLE."""
    service = asked(store, asker)
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
        from dashboard.answers import receipt_answer

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


@main.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--keep-going", is_flag=True, help="Go on after a refusal.")
@with_asker
@with_store
def load(manifest: Path, keep_going: bool, store: Path, asker: str | None) -> None:
    """Submit the returns listed in MANIFEST (JSON), in order."""
    sys.exit(load_returns(asked(store, asker), manifest, keep_going))


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
    """The flags, each with its sentence below it, raised ones first: those alone, or all."""
    order = list(STATUS_STYLES)
    shown = sorted(
        (a for a in report.assessments if every or a.status == "raised"),
        key=lambda a: order.index(a.status),
    )
    if not report.assessments:
        say(f"Nothing to assess was known on {report.as_of}: no agreement was recorded by then.")
        return
    if shown:
        say(f"{'Every flag' if every else 'Flags raised'} as of {report.as_of}", "bold")
    else:
        say(f"No flag is raised as of {report.as_of}.", "bold")
    for found in shown:
        whom = found.subcontractor_id or "(whole contract)"
        say("")
        say(
            f"{found.flag}  {found.status}  {found.contract_id}  {whom}",
            STATUS_STYLES[found.status],
        )
        print_paragraph(found.sentence, "  ")
    if shown:
        say("")
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
@with_asker
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
    asker: str | None,
) -> None:
    """Show every flag."""
    if engine == "spark":
        raise BadOption(
            "This version does not have the Spark engine yet. Leave out --engine: DuckDB answers "
            "the same questions on this machine."
        )

    with progress("Assessing"):
        report = asked(store, asker).flags(
            as_of=as_of, through=through, overrides=rule_values(rules)
        )
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
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, with every row.")
@with_asker
@with_store
def explain(
    flag: str,
    contract: str,
    subcontractor: str | None,
    as_of: dt.date | None,
    through: dt.date | None,
    rules: tuple[str, ...],
    as_json: bool,
    store: Path,
    asker: str | None,
) -> None:
    """Tell what FLAG says about CONTRACT and SUBCONTRACTOR in full.

    Without SUBCONTRACTOR it is about the whole contract.
    """
    with progress("Assessing"):
        explanation = asked(store, asker).explain(
            flag,
            contract,
            subcontractor,
            as_of=as_of,
            through=through,
            overrides=rule_values(rules),
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
@with_asker
@with_store
def history(as_json: bool, store: Path, asker: str | None) -> None:
    """Show the returns: who, what, when, which months, what they replaced."""
    service = asked(store, asker)
    service.ledger()
    entries = service.history()
    if as_json:
        from dashboard.answers import history_answer

        print_json(history_answer(entries))
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
    with progress("Verifying:") as stage:
        inspection = asked(store).verify(stage)
    for note in inspection.notes:
        say(f"NOTE     {note}", "dim")
    for fault in inspection.faults:
        say(f"ALTERED  {fault}", "red")
    say(
        f"{inspection.return_count} returns and {inspection.row_count:,} rows re-read"
        + (f", and {inspection.event_count} events of the audit." if inspection.audited else ".")
    )
    if inspection.faults:
        sys.exit(1)
    say(
        f"Nothing was altered. The chain ends in {inspection.head_hash or '(empty)'}.", "bold green"
    )
    if inspection.audited:
        say(f"The audit ends in {inspection.audit_hash or '(empty)'}.", "bold green")


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

    from dashboard.startup import check_settings
    from data.demo.chain import write_chain

    place = store or store_path() / "demo"
    check_settings(place)
    service = asked(place)
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
    if service.latest_release() is None:
        service.release(actor="operator")
    print_flags(service.flags())
    if not no_serve:
        run_server(place, port)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option("--shared", is_flag=True, help="For several organisations: people sign in.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--url", metavar="URL", help="Address that people type, such as https://fairtier.example."
)
@click.option("--demo-personas", is_flag=True, help="Sign in as anybody of the worked example.")
@click.option("--network-account", metavar="EMAIL", help="The first account of the network.")
@click.option("--network-org", metavar="ORG", help="The network's id, for its first account.")
@with_store
def serve(
    port: int,
    shared: bool,
    host: str,
    url: str | None,
    demo_personas: bool,
    network_account: str | None,
    network_org: str | None,
    store: Path,
) -> None:
    """Serve the dashboard on 127.0.0.1 for one operator, or --shared for several organisations."""
    from dashboard.startup import check_settings

    check_settings(store)
    if not shared:
        if demo_personas or host != "127.0.0.1" or url or network_account or network_org:
            raise BadOption(
                "--host, --url, --demo-personas and the network's account are for a server on "
                "which people sign in. Add --shared."
            )
        run_server(store, port)
        return
    import os

    from dashboard.provider import settings_from_environment
    from dashboard.sharing import Sharing

    address = url or os.environ.get("FAIRTIER_URL") or f"http://127.0.0.1:{port}"
    sharing = Sharing(address, host, demo_personas, settings_from_environment())
    if not demo_personas:
        first_account(store, address, network_account, network_org)
    run_server(store, port, sharing)


_WHICH_ID = (
    "The id is that of the organisation that will keep the registers, as org-id.guide writes it: "
    "GB-CHC-1164883 for charity 1164883 of England and Wales, GB-COH-07654321 for a company."
)
_KEEPER = "The registers in this store were recorded by the one offered here."


def first_account(store: Path, url: str, email: str | None, organisation_id: str | None) -> None:
    """Make the first account of the network and print its link, where there is none yet."""
    from dashboard.commands.accounts import invitation_link
    from data.accounts import add, network_exists
    from data.database import Database
    from data.ledger import Ledger

    keeper = min(Ledger(store).keepers(), default=None)
    organisation_id = organisation_id or (keeper if email else None)
    with contextlib.closing(Database(store)) as database:
        if network_exists(database):
            if email or organisation_id:
                say("The network has an account already; no other was made.", "dim")
            return
        if not (email and organisation_id) and not sys.stdin.isatty():
            raise BadOption(
                "This server has no account of the network yet. Start it once with "
                "--network-account EMAIL --network-org ORG, and open the link it prints."
            )
        email = email or click.prompt("E-mail address of the network's first account")
        if not organisation_id:
            say(_WHICH_ID if keeper is None else f"{_WHICH_ID} {_KEEPER}", "dim")
            organisation_id = click.prompt("The network's organisation id", default=keeper)
        account, token = add(
            database,
            str(email),
            "",
            str(organisation_id),
            "network",
            actor="operator",
            actor_organisation_id=None,
        )
        named = account.organisation_id
    say(
        f"{account.email} acts for {named}, which is the network. If that is a mistake: "
        f"`fairtier accounts disable {account.email}`, then start again.",
        "dim",
    )
    say(f"Open this link within 7 days to set up {account.email}. It works once:", "bold")
    say(invitation_link(token, url))


def run_server(store: Path, port: int, sharing: Sharing | None = None) -> None:
    """Serve until stopped."""
    from dashboard.app import serve_dashboard

    address = sharing.url if sharing else f"http://127.0.0.1:{port}"

    def announce() -> None:
        say(f"The dashboard is at {address} (stop it with Ctrl+C).", "bold")

    serve_dashboard(store, port, announce, sharing)


def _open_release(store: Path) -> OpenRelease:
    """A new release of the store, as it is written; the last one where nothing has changed."""
    from dashboard.service import Service
    from data.scope import OPERATOR

    service = Service(store, OPERATOR)
    service.release(actor="operator")
    made = service.open_release(dt.date.today())
    assert made is not None  # noqa: S101 - it was made a line above
    return made


publish = publish_command(_open_release)


for command in (
    accounts,
    tokens,
    replies,
    embargo,
    arrange,
    write_notice,
    merlin,
    offer,
    publish,
    audit,
    backup,
    restore,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
