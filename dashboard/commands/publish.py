"""`fairtier publish`: a release of open data, written to a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.terminal import print_json, progress, say, with_store
from metrics.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.open_data.package import Written
    from dashboard.open_data.release import OpenRelease


def publish_command(
    make: Callable[[Path], OpenRelease],
) -> click.Command:
    """The command.

    `make` gives the release of a store, and logs it: what may have been published counts as
    published.
    """

    @click.command()
    @click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
    @click.option(
        "--previous",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of the release before; the one in DIR unless set.",
    )
    @click.option(
        "--ocds-prefix",
        metavar="PREFIX",
        help="Your registered OCDS prefix, such as ocds-213czf; a placeholder unless set.",
    )
    @click.option("--address", metavar="URL", help="Where DIR will be found on the web.")
    @click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
    @with_store
    def publish(
        folder: Path,
        previous: Path | None,
        ocds_prefix: str | None,
        address: str | None,
        as_json: bool,
        store: Path,
    ) -> None:
        """Write a release of open data to DIR: CSV, JSON, a page, method, licence, changes.

        A release that Fairtier wrote to DIR before makes way for the new one.
        """
        from dashboard.open_data.ocds import PLACEHOLDER_PREFIX, check_address, check_prefix
        from dashboard.open_data.package import write_package

        prefix = ocds_prefix or PLACEHOLDER_PREFIX
        check_prefix(prefix)
        check_address(address or "")
        with progress("Publishing"):
            release = make(store)
            written = write_package(
                release, folder, previous=previous, ocid_prefix=prefix, address=address or ""
            )
        if as_json:
            print_json(asdict(written) | {"folder": str(folder)})
            return
        _say(folder, written, has_prefix=ocds_prefix is not None)

    return publish


def _say(folder: Path, written: Written, *, has_prefix: bool) -> None:
    if written.already:
        say(f'Release {written.release_id} stands in "{folder}" already; nothing changed.', "bold")
        return
    say(
        f"Release {written.release_id}: {count(len(written.files), 'file')} written to "
        f'"{folder}". SHA-256 of datapackage.json: {written.sha256}.',
        "bold green",
    )
    hidden = count(written.hidden_count, "figure")
    say(f"{hidden} hidden; README.md and index.html say why.")
    if written.compared_with:
        changes = count(written.change_count, "change")
        say(f"{changes} since {written.compared_with}; CHANGELOG.md has each.")
    if not has_prefix and "ocds.json" in written.files:
        say(
            "NOTE     ocds.json has a placeholder for the prefix that every publisher registers; "
            "--ocds-prefix sets yours.",
            "yellow",
        )
