"""Every metric and flag there is, found by module."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import metrics as metrics_folder
from metrics import flags as flags_folder
from metrics.definition import Flag, Metric

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from metrics.definition import Account, Assessment, SourceRow
    from metrics.facts import Facts
    from metrics.rules import Rules


def _modules(folder: ModuleType) -> list[ModuleType]:
    names = sorted(found.name for found in pkgutil.iter_modules(folder.__path__))
    return [importlib.import_module(f"{folder.__name__}.{name}") for name in names]


@functools.cache
def metrics() -> tuple[Metric, ...]:
    """The metrics, by id: each module in `metrics/` that has a METRIC."""
    found = (getattr(module, "METRIC", None) for module in _modules(metrics_folder))
    return tuple(sorted((m for m in found if isinstance(m, Metric)), key=lambda m: m.id))


@dataclass(frozen=True)
class Assessor:
    """A flag with what assesses it, what accounts for an answer, and the rows behind one."""

    flag: Flag
    assess: Callable[[Facts, Rules], list[Assessment]]
    account: Callable[[Assessment, Facts], Account]
    source_rows: Callable[[Assessment, Facts], list[SourceRow]]


@functools.cache
def assessors() -> tuple[Assessor, ...]:
    """The flags with their functions, in the order of answers: the modules in `flags/`."""
    found = [
        Assessor(module.FLAG, module.assess, module.account, module.source_rows)
        for module in _modules(flags_folder)
    ]
    return tuple(sorted(found, key=lambda assessor: assessor.flag.order))


def flags() -> tuple[Flag, ...]:
    """The flags, in the order of answers."""
    return tuple(assessor.flag for assessor in assessors())
