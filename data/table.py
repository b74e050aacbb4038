"""How a table of the data standard is declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "text",  # free text
    "id",  # an identifier, kept as written
    "client_ref",  # the reporter's own mark for a client; only its keyed hash is stored
    "date",  # 2012-03-31
    "month",  # 2012-03
    "money",  # pounds with at most two decimals; stored as whole pence
    "rate",  # 0 to 1, or a percentage
    "count",  # a whole number
    "yes_no",
    "choice",
]


@dataclass(frozen=True)
class Column:
    """One column: `id` is the header in files, `stored` the name and unit in the ledger.

    `default` is what an empty cell is read as; `empty_means` says in words what it means.
    """

    id: str
    kind: Kind
    description: str
    example: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    stored_as: str = ""
    empty_means: str = ""
    default: str = ""

    @property
    def stored(self) -> str:
        """The column's name in the ledger, with its unit."""
        if self.stored_as:
            return self.stored_as
        return f"{self.id}_pence" if self.kind == "money" else self.id


@dataclass(frozen=True)
class Table:
    """One of the seven tables.

    `key` names the columns that tell one row from another within a file. `month_of` is the
    column that gives a log row its month; registers have none and are replaced whole.
    `version` is the column whose value must agree as well for a return to replace rows.
    """

    id: str
    title: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    month_of: str | None = None
    version: str | None = None

    @property
    def is_register(self) -> bool:
        """Whether a return replaces the whole of the reporter's earlier one."""
        return self.month_of is None

    @property
    def column_ids(self) -> tuple[str, ...]:
        """The headers, in the order of the standard."""
        return tuple(column.id for column in self.columns)

    @property
    def required_ids(self) -> tuple[str, ...]:
        """The headers a file cannot do without."""
        return tuple(column.id for column in self.columns if column.required)

    def column(self, column_id: str) -> Column:
        """The column of that header; KeyError if there is none."""
        for column in self.columns:
            if column.id == column_id:
                return column
        raise KeyError(f"{self.id} has no column {column_id}")
