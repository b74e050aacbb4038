"""What every command shares: options, printing, progress, and errors told in one sentence."""

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
from rich.text import Text

from data.errors import StoreError, UserError
from data.settings import store_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def with_asker(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command the option --as: what it shows is what that organisation may see."""
    return click.option(
        "--as",
        "asker",
        metavar="ORG",
        help="Show what this organisation may see, or public; everything unless set.",
    )(command)


def as_reporter(required: bool) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give a command the options that say whose return it is."""

    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        for option in (
            click.option(
                "--received-on",
                type=Day(),
                help="Day it was received; today unless set. An earlier one is the network's to "
                "name.",
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


class Fairtier(click.Group):
    """The command group: every error is one sentence and an honest exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; UserErrors become one sentence, anything else a bug with an id."""
        try:
            told = {"prog_name": "fairtier"} | kwargs | {"standalone_mode": False}
            return super().main(*args, **told)
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


def write_file(path: Path, content: bytes) -> None:
    """Write an output file; StoreError if the place refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(
            f'"{path}" cannot be written: {error.strerror}. Name a file that you may write to.'
        ) from error
