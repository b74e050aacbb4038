"""The seven tables of the data standard, each declared once."""

import difflib

from data.errors import UnknownTable
from data.table import Table
from data.tables.agreements import AGREEMENTS
from data.tables.contracts import CONTRACTS
from data.tables.forecasts import FORECASTS
from data.tables.organisations import ORGANISATIONS
from data.tables.payments import PAYMENTS
from data.tables.prices import PRICES
from data.tables.referrals import REFERRALS

TABLES: dict[str, Table] = {
    table.id: table
    for table in (ORGANISATIONS, CONTRACTS, AGREEMENTS, PRICES, FORECASTS, REFERRALS, PAYMENTS)
}


def table_named(name: str) -> Table:
    """The table of that name; UnknownTable, with the nearest name, if there is none."""
    table = TABLES.get(name.strip().lower())
    if table is None:
        near = difflib.get_close_matches(name.lower(), TABLES, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UnknownTable(f'There is no table "{name}".{hint} The tables are {", ".join(TABLES)}.')
    return table
