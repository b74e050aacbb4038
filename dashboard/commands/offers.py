"""`fairtier offer`: weigh offers of primes before signing one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.terminal import out, print_json, progress, say, with_store, write_file
from metrics.offer_runs import FEWEST_RUNS, MOST_RUNS, RUN_COUNT, SEED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metrics.forecasts_held import Held
    from metrics.offer import Offer
    from metrics.offer_weighing import Weighing

_MOST_STEPS = 6


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.option(
    "--runs",
    type=click.IntRange(FEWEST_RUNS, MOST_RUNS),
    default=RUN_COUNT,
    show_default=True,
    help="How many runs of chance.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=SEED,
    show_default=True,
    help="The same seed gives the same answer.",
)
@click.option(
    "--from-ledger",
    is_flag=True,
    help="Take how far forecasts have held from the ledger, where an offer does not say.",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all results to this XLSX file.",
)
@click.option(
    "--template",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the XLSX form to fill in to this file, and weigh nothing.",
)
@with_store
def offer(
    files: tuple[Path, ...],
    as_json: bool,
    runs: int,
    seed: int,
    from_ledger: bool,
    results: Path | None,
    template: Path | None,
    store: Path,
) -> None:
    """Weigh the offers in FILES: what they bring, what they risk, what to negotiate first."""
    if template is not None:
        _template(template)
        return
    if not files:
        from data.errors import BadOption

        raise BadOption(
            "No offer was named. Write a form with `fairtier offer --template offer.xlsx`, fill "
            "it in, and name it: `fairtier offer offer.xlsx`."
        )
    from metrics.offer_weighing import weigh

    held = _held(store) if from_ledger else None
    offers = _read(files, held)
    found = []
    for one in offers:
        with progress(f"Weighing {one.name}"):
            found.append(weigh(one, runs, seed))
    if results is not None:
        from dashboard.offers import results_workbook

        write_file(results, results_workbook(found))
    if as_json:
        print_json([one.answer() for one in found])
        return
    for weighed in found:
        _show(weighed)
    if len(found) > 1:
        _side_by_side(found)
    if results is not None:
        say(f'All results are in "{results}".')


def _template(file: Path) -> None:
    from data.offer_form import blank_form, offer_workbook
    from metrics.offer_promises import POINTS

    write_file(file, offer_workbook(blank_form(), POINTS))
    say(f'Wrote the form to "{file}". Fill it in and weigh it: `fairtier offer {file}`.')


def _read(files: Sequence[Path], held: Held | None) -> list[Offer]:
    """The offers in the files; UnusableOffer with the mistakes of all of them."""
    from dashboard.offers import read_offer
    from data.errors import UnusableFile, UnusableOffer
    from metrics.forecasts_held import ASSUMED

    found, mistakes = [], []
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            mistakes.append(f'"{file}" cannot be opened ({error.strerror}). Check its name.')
            continue
        try:
            found.append(read_offer(content, file.name, held or ASSUMED))
        except UnusableOffer as error:
            mistakes += error.mistakes
        except UnusableFile as error:
            mistakes.append(str(error))
    if mistakes:
        raise UnusableOffer(*mistakes)
    return found


def _held(store: Path) -> Held:
    from dashboard.offers import held_in
    from dashboard.service import Service
    from data.scope import OPERATOR

    service = Service(store, OPERATOR)
    return held_in(service.flags().assessments, service.confidential())


def _show(found: Weighing) -> None:
    from metrics.offer_negotiation import ORDER
    from metrics.offer_promises import FIRMNESS_TOLD

    say(found.offer.name, "bold")
    for sentence in found.sentences:
        say(f"  {sentence}")
    say("")
    say("  What to negotiate first", "bold")
    asked = [effect for effect in found.effects if effect.lever.whose == "to negotiate"]
    for effect in asked[:_MOST_STEPS]:
        say(f"  - {effect.sentence}")
    say(f"  {ORDER}", "dim")
    say("")
    say("  Not firmly promised", "bold")
    for gap in found.not_firm:
        say(f"  - {gap.point.title} ({FIRMNESS_TOLD[gap.firmness]}). Ask for: {gap.point.ask_for}")
    if not found.not_firm:
        say("  Every point is firm.")
    say("")


def _side_by_side(found: Sequence[Weighing]) -> None:
    from rich.table import Table as Grid
    from rich.text import Text

    from dashboard.offers import COMPARED, compared

    grid = Grid(title="Side by side")
    rows: list[tuple[Any, ...]] = [compared(one) for one in found]
    grid.add_column("")
    for row in rows:
        grid.add_column(Text(row[0]), overflow="fold", justify="right")
    for place, name in enumerate(COMPARED[1:], start=1):
        grid.add_row(Text(name), *(Text(row[place]) for row in rows))
    out.print(grid)
