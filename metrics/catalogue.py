"""Every metric and flag there is, found by module."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING

import metrics as metrics_folder
from metrics import flags as flags_folder
from metrics.definition import Assessment, Flag, Metric

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from metrics.facts import Facts
    from metrics.rules import Rules

    Assess = Callable[[Facts, Rules], list[Assessment]]


def _modules(folder: ModuleType) -> list[ModuleType]:
    names = sorted(found.name for found in pkgutil.iter_modules(folder.__path__))
    return [importlib.import_module(f"{folder.__name__}.{name}") for name in names]


@functools.cache
def metrics() -> tuple[Metric, ...]:
    """The metrics, by id: each module in `metrics/` that has a METRIC."""
    found = (getattr(module, "METRIC", None) for module in _modules(metrics_folder))
    return tuple(sorted((m for m in found if isinstance(m, Metric)), key=lambda m: m.id))


@functools.cache
def assessors() -> tuple[tuple[Flag, Assess], ...]:
    """The flags with what assesses them, in the order of answers: the modules in `flags/`."""
    found = [(module.FLAG, module.assess) for module in _modules(flags_folder)]
    return tuple(sorted(found, key=lambda pair: pair[0].order))


def flags() -> tuple[Flag, ...]:
    """The flags, in the order of answers."""
    return tuple(flag for flag, _ in assessors())
