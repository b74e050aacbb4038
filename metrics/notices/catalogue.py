"""Every kind of letter there is, found by module."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import metrics.notices as notices_folder
from data.errors import BadOption
from metrics.notices.definition import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from metrics.notices.definition import Letter
    from metrics.notices.matter import Matter
    from metrics.rules import Rules


@dataclass(frozen=True)
class Template:
    """A kind of letter with the function that writes one."""

    notice: Notice
    write: Callable[[Matter, Rules], Letter]


@functools.cache
def templates() -> tuple[Template, ...]:
    """The kinds of letters in their order: each module here that has a NOTICE."""
    names = sorted(found.name for found in pkgutil.iter_modules(notices_folder.__path__))
    modules = [importlib.import_module(f"{notices_folder.__name__}.{name}") for name in names]
    found = [
        Template(module.NOTICE, module.write)
        for module in modules
        if isinstance(getattr(module, "NOTICE", None), Notice)
    ]
    return tuple(sorted(found, key=lambda template: template.notice.order))


def template(kind: str) -> Template:
    """The kind of letter of that id; BadOption, with the ids there are, if there is none."""
    for found in templates():
        if found.notice.id == kind:
            return found
    ids = ", ".join(found.notice.id for found in templates())
    raise BadOption(f'There is no letter "{kind}". The letters are {ids}.')
