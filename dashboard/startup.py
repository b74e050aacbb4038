"""What must be right before a server starts: every setting, and the place of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.gate import proxies
from dashboard.mail import post_named
from dashboard.provider import settings_from_environment
from data.database import database_url
from data.errors import BadOption
from data.settings import max_unpacked_bytes, max_upload_bytes

if TYPE_CHECKING:
    from pathlib import Path


def check_settings(store: Path) -> None:
    """Read every setting once, so that a mistake in one is told now and not at each request.

    BadOption or StoreError names the setting and how to write it.
    """
    if store.exists() and not store.is_dir():
        raise BadOption(
            f'"{store}" is a file, and a store is a folder. Name the folder with --store.'
        )
    for read in (max_upload_bytes, max_unpacked_bytes, proxies, post_named):
        read()
    settings_from_environment()
    database_url(store)
