"""Every check there is, found by looking into the folders of the families."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.definition import Check

FAMILIES = (
    "coverage",
    "format",
    "range",
    "unique",
    "coherent",
    "consistent",
    "reference",
    "privacy",
)


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, by family and name; imports no Great Expectations."""
    checks = []
    for family in FAMILIES:
        package = importlib.import_module(f"checks.{family}")
        for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
            check = getattr(
                importlib.import_module(f"checks.{family}.{module.name}"), "CHECK", None
            )
            if check is not None:
                checks.append(check)
    return tuple(checks)
