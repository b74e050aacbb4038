# ruff: noqa: E501 - an example reads best on one line
"""Every check by example: what it promises, a file that keeps the promise, one that breaks it.

An example is (table, rows of a file with row 2 first, what is known besides it, findings); the
findings are the failing rows by column. `{}` means that the file passes, None that the check is
not applicable.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace

import duckdb
import pyarrow as pa
import pytest

from checks.catalogue import FAMILIES, all_checks
from checks.definition import Circumstances
from checks.run import check
from data.parse import quoted, typed_sql
from data.read import Extra, Ragged, Sheet
from data.tables import TABLES

TODAY = dt.date(2012, 12, 31)


def sheet_of(table_id: str, text: str) -> Sheet:
    """The sheet that reading this CSV text gives; columns that the table lacks are extra."""
    header, *rows = [
        [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text.strip()))
    ]
    table = TABLES[table_id]
    columns = {"row_number": pa.array(range(2, len(rows) + 2), pa.int64())}
    headers: dict[str, str] = {}
    extras: list[Extra] = []
    for index, name in enumerate(header):
        if name in table.column_ids:
            place = headers[name] = name
        else:
            place = f"extra_{len(extras) + 1}"
            extras.append(Extra(place, name))
        columns[place] = pa.array([row[index] or None for row in rows], pa.string())
    return Sheet(pa.table(columns), f"{table_id}.csv", "0" * 64, headers, tuple(extras))


def register_of(table_id: str, text: str) -> pa.Table:
    """A register as the ledger stores it."""
    sheet = sheet_of(table_id, text)
    connection = duckdb.connect()
    connection.register("sheet", sheet.rows)
    columns = ", ".join(
        f"{typed_sql(column, quoted(column.id) if column.id in sheet.headers else 'NULL::VARCHAR')}"
        f" AS {quoted(column.stored)}"
        for column in TABLES[table_id].columns
    )
    return connection.sql(f"SELECT {columns} FROM sheet").to_arrow_table()


REGISTERS = {
    table_id: register_of(table_id, text)
    for table_id, text in {
        "organisations": """
organisation_id,name,sector
GB-GOR-1,Department for Examples,public
GB-COH-1000,Prime Example Ltd,private
GB-COH-2000,Other Prime Ltd,private
GB-CHC-100001,Example Housing Trust,voluntary
GB-CHC-100002,Second Example,voluntary
LVN,Example Network,voluntary
""",
        "contracts": """
contract_id,programme,commissioner_id,prime_id,starts_on,ends_on
WP-01-A,Work Programme,GB-GOR-1,GB-COH-1000,2011-06-01,2012-06-30
WP-02-A,Work Programme,GB-GOR-1,GB-COH-2000,2011-06-01,
""",
        "agreements": """
contract_id,subcontractor_id,delivery_role,named_in_bid
WP-01-A,GB-CHC-100001,specialist,yes
WP-02-A,GB-CHC-100002,specialist,yes
""",
        "prices": """
contract_id,client_group,payment_type,price
WP-01-A,JSA 25+,job_outcome,1200
WP-01-A,ESA,job_outcome,1300
""",
    }.items()
}
KNOWN = Circumstances(TODAY, None, None, REGISTERS, frozenset({"LVN"}))
NOTHING_KNOWN = Circumstances(TODAY)


def by(reporter_id: str) -> Circumstances:
    return replace(KNOWN, reporter_id=reporter_id)


def covering(*months: str) -> Circumstances:
    return replace(KNOWN, months=tuple(dt.date.fromisoformat(f"{month}-01") for month in months))


REFERRAL = "referral_id,contract_id,subcontractor_id,client_group,referred_on"
PAYMENT = "payment_id,contract_id,subcontractor_id,payment_type,earned_on,subcontractor_amount"
AGREEMENT = "contract_id,subcontractor_id,delivery_role,named_in_bid"
FORECAST = "contract_id,subcontractor_id,client_group,month,referrals,issued_on"
CONTRACT = "contract_id,programme,commissioner_id,prime_id,starts_on,ends_on"
R1 = "R1,WP-01-A,GB-CHC-100001,JSA 25+,2011-09-05"
P1 = "P1,WP-01-A,GB-CHC-100001,job_outcome,2011-09-05,1000"

# check id: [(table, file, circumstances, failing rows by column | {} | None)]
EXAMPLES = {
    "required_columns": [
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("referrals", "referral_id,contract_id,client_group,referred_on\nR1,A,B,2011-09-05", KNOWN,
         {"subcontractor_id": ()}),
        ("referrals", "contract_id\nWP-01-A", KNOWN, {None: ()}),
    ],
    "repeated_columns": [
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("referrals", replace(sheet_of("referrals", f"{REFERRAL}\n{R1}"), repeated=("contract_id",)),
         KNOWN, {"contract_id": ()}),
    ],
    "ragged_rows": [
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("referrals", replace(sheet_of("referrals", f"{REFERRAL}\n{R1}"),
                              ragged=(Ragged(9, 5, 6), Ragged(4, 5, 2))), KNOWN, {None: (4, 9)}),
    ],
    "required_cells": [
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("referrals", f"{REFERRAL}\n{R1}\n,WP-01-A, ,JSA 25+,2011-09-05\nR3,WP-01-A,\u00a0,x,2011-09-05",
         KNOWN, {"referral_id": (3,), "subcontractor_id": (3, 4)}),
    ],
    "formula_errors": [
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("referrals", replace(sheet_of("referrals", f"{REFERRAL}\n{R1}"),
                              formula_errors={"client_group": (7, 5), "referral_id": ()}), KNOWN,
         {"client_group": (5, 7)}),
    ],
    "no_rows": [
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("referrals", REFERRAL, KNOWN, {None: ()}),
    ],
    "dates": [
        ("referrals", f"{REFERRAL}\n{R1}\nR2,A,B,C,5/9/2011", KNOWN, {}),
        ("referrals", f"{REFERRAL}\n{R1}\nR2,A,B,C,soon\nR3,A,B,C,2011-9-5\nR4,A,B,C,05.09.2011",
         KNOWN, {"referred_on": (3, 4, 5)}),
        ("prices", "contract_id,client_group,payment_type,price\nA,B,job_outcome,1", KNOWN, None),
    ],
    "real_dates": [
        ("referrals", f"{REFERRAL}\nR1,A,B,C,2012-02-29", KNOWN, {}),
        ("referrals", f"{REFERRAL}\nR1,A,B,C,2011-02-29\nR2,A,B,C,31/13/2011\nR3,A,B,C,never",
         KNOWN, {"referred_on": (2, 3)}),
        ("prices", "contract_id\nA", KNOWN, None),
    ],
    "months": [
        ("forecasts", f"{FORECAST}\nA,B,C,2011-09,4,2011-05-01\nA,B,C,Sep-11,4,2011-05-01", KNOWN, {}),
        ("forecasts", f"{FORECAST}\nA,B,C,autumn 2011 or so,4,2011-05-01", KNOWN, {"month": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "real_months": [
        ("forecasts", f"{FORECAST}\nA,B,C,2011-09-01,4,2011-05-01", KNOWN, {}),
        ("forecasts", f"{FORECAST}\nA,B,C,2011-13,4,2011-05-01\nA,B,C,2011-09-15,4,2011-05-01\n"
         "A,B,C,Smarch 2011,4,2011-05-01", KNOWN, {"month": (2, 3, 4)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "money": [
        ("payments", f'{PAYMENT}\n{P1}\nP2,A,B,job_outcome,2011-09-05,"£1,000.50"', KNOWN, {}),
        ("payments", f"{PAYMENT}\nP1,A,B,job_outcome,2011-09-05,12.345\n"
         "P2,A,B,job_outcome,2011-09-05,ten pounds", KNOWN, {"subcontractor_amount": (2, 3)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "rates": [
        ("agreements", f"{AGREEMENT},promised_share\nA,B,specialist,yes,0.08\nA,C,specialist,yes,8%",
         KNOWN, {}),
        ("agreements", f"{AGREEMENT},promised_share\nA,B,specialist,yes,a tenth", KNOWN,
         {"promised_share": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "counts": [
        ("referrals", f'{REFERRAL},referrals\n{R1},\n{R1},"1,200"', KNOWN, {}),
        ("referrals", f"{REFERRAL},referrals\n{R1},*\n{R1},1.5", KNOWN, {"referrals": (2, 3)}),
        ("contracts", f"{CONTRACT}\nA,B,C,D,2011-06-01,", KNOWN, None),
    ],
    "ids": [
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("referrals", f"{REFERRAL},client_ref\n=R1,A,B,C,2011-09-05,C1\n{R1},{'x' * 201}", KNOWN,
         {"referral_id": (2,), "client_ref": (3,)}),
        ("referrals", "client_group\nJSA", KNOWN, None),
    ],
    "text": [
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("referrals", f"{REFERRAL}\nR1,A,B,JSA\x00 25+,2011-09-05", KNOWN, {"client_group": (2,)}),
        ("payments", f"{PAYMENT}\n{P1}", KNOWN, None),
    ],
    "yes_no": [
        ("agreements", f"{AGREEMENT}\nA,B,specialist,Yes\nA,C,specialist,n", KNOWN, {}),
        ("agreements", f"{AGREEMENT}\nA,B,specialist,perhaps", KNOWN, {"named_in_bid": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "choices": [
        ("agreements", f"{AGREEMENT}\nA,B,End-to-end,yes\nA,C,call off,yes", KNOWN, {}),
        ("agreements", f"{AGREEMENT}\nA,B,main,yes\nA,C,specialist,yes", KNOWN,
         {"delivery_role": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "amounts_not_negative": [
        ("payments", f"{PAYMENT}\n{P1}\nP2,A,B,adjustment,2011-09-05,-5\nP3,A,B,job_outcome,2011-09-05,0",
         KNOWN, {}),
        ("payments", f"{PAYMENT}\nP1,A,B,job_outcome,2011-09-05,-5\nP2,A,B,,2011-09-05,-£0.01", KNOWN,
         {"subcontractor_amount": (2, 3)}),
        ("prices", "contract_id,client_group,payment_type,price\nA,B,job_outcome,-1", KNOWN,
         {"price": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "rates_zero_to_one": [
        ("agreements", f"{AGREEMENT},promised_share\nA,B,specialist,yes,100%\nA,C,specialist,yes,0",
         KNOWN, {}),
        ("agreements", f"{AGREEMENT},promised_share\nA,B,specialist,yes,15\nA,C,specialist,yes,-0.1",
         KNOWN, {"promised_share": (2, 3)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "counts_in_range": [
        ("referrals", f"{REFERRAL},referrals\n{R1},\n{R1},40", KNOWN, {}),
        ("referrals", f"{REFERRAL},referrals\n{R1},0\n{R1},-3", KNOWN, {"referrals": (2, 3)}),
        ("forecasts", f"{FORECAST}\nA,B,C,2011-09,0,2011-05-01\nA,B,C,2011-10,-1,2011-05-01", KNOWN,
         {"referrals": (3,)}),
        ("agreements", f"{AGREEMENT},tier,payment_terms_days\nA,B,specialist,yes,0,30\n"
         "A,C,specialist,yes,10,366", KNOWN, {"tier": (2, 3), "payment_terms_days": (3,)}),
        ("payments", f"{PAYMENT}\n{P1}", KNOWN, None),
    ],
    "within_contract": [
        ("referrals", f"{REFERRAL}\nR1,WP-01-A,B,C,2011-06-01\nR2,WP-01-A,B,C,2012-06-30\n"
         "R3,WP-02-A,B,C,2030-01-01\nR4,unknown,B,C,1999-01-01", KNOWN, {}),
        ("referrals", f"{REFERRAL}\nR1,WP-01-A,B,C,2011-05-31\nR2,WP-01-A,B,C,2012-07-01", KNOWN,
         {"referred_on": (2, 3)}),
        ("forecasts", f"{FORECAST}\nWP-01-A,B,C,2011-06,4,2011-05-01\nWP-01-A,B,C,2012-07,4,2011-05-01",
         KNOWN, {"month": (3,)}),
        ("payments", f"{PAYMENT}\nP1,WP-01-A,B,job_outcome,2013-01-01,1\n"
         "P2,WP-01-A,B,job_outcome,2011-01-01,1", KNOWN, {"earned_on": (3,)}),
        ("agreements", f"{AGREEMENT},live_on,ends_on\nWP-01-A,B,specialist,yes,2011-01-01,2010-01-01",
         KNOWN, {"live_on": (2,), "ends_on": (2,)}),
        ("prices", "contract_id\nWP-01-A", KNOWN, None),
        ("referrals", f"{REFERRAL}\n{R1}", NOTHING_KNOWN, None),
    ],
    "not_in_the_future": [
        ("referrals", f"{REFERRAL}\nR1,A,B,C,{TODAY}", KNOWN, {}),
        ("referrals", f"{REFERRAL},started_on\nR1,A,B,C,2013-01-01,2102-01-01", KNOWN,
         {"referred_on": (2,), "started_on": (2,)}),
        ("contracts", f"{CONTRACT}\nA,B,C,D,2030-06-01,2040-01-01", KNOWN, None),
    ],
    "months_covered": [
        ("referrals", f"{REFERRAL}\n{R1}", covering("2011-09"), {}),
        ("referrals", f"{REFERRAL}\n{R1}\nR2,A,B,C,2011-10-31", covering("2011-08", "2011-09"),
         {"referred_on": (3,)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
        ("contracts", f"{CONTRACT}\nA,B,C,D,2011-06-01,", covering("2011-09"), None),
        ("referrals", "referral_id\nR1", covering("2011-09"), None),
    ],
    "plausible_years": [
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("contracts", f"{CONTRACT}\nA,B,C,D,0201-06-01,2101-01-01\nA,B,C,D,1990-01-01,2100-12-31", KNOWN,
         {"starts_on": (2,), "ends_on": (2,)}),
        ("prices", "contract_id\nA", KNOWN, None),
    ],
    "key_unique": [
        ("referrals", f"{REFERRAL}\n{R1}\nR2,A,B,C,2011-09-05\n,A,B,C,2011-09-05\n,A,B,C,2011-09-05",
         KNOWN, {}),
        ("referrals", f"{REFERRAL}\n{R1}\nR2,A,B,C,2011-09-05\n R1 ,A,B,C,2011-09-06", KNOWN,
         {"referral_id": (2, 4)}),
        ("forecasts", f"{FORECAST}\nA,,,2011-09,4,2011-05-01\nA,,,09/2011,5,1/5/2011\n"
         "A,B,,2011-09,4,2011-05-01", KNOWN, {None: (2, 3)}),
        ("forecasts", "contract_id,referrals\nA,1\nA,1", KNOWN, None),
    ],
    "same_event_twice": [
        ("referrals", f"{REFERRAL},client_ref\nR1,A,B,C,2011-09-05,C1\nR2,A,B,C,2011-09-06,C1\n"
         "R3,A,B,C,2011-09-07,\nR4,A,B,C,2011-09-07,", KNOWN, {}),
        ("referrals", f"{REFERRAL},client_ref\nR1,A,B,C,2011-09-05,C1\nR2,A,B,C,2011-09-06,C1\n"
         "R3,A,B,D,05/09/2011,c1", KNOWN, {"client_ref": (2, 4)}),
        ("payments", f"{PAYMENT},client_ref\nP1,A,B,job_outcome,2011-09-05,10,C1\n"
         "P2,A,B,job_outcome,2011-09-05,10.00,C1\nP3,A,B,job_outcome,2011-09-05,11,C1", KNOWN,
         {"client_ref": (2, 3)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
        ("contracts", f"{CONTRACT}\nA,B,C,D,2011-06-01,", KNOWN, None),
    ],
    "starts_before_ends": [
        ("contracts", f"{CONTRACT}\nA,B,C,D,2011-06-01,2011-06-01\nE,B,C,D,2011-06-01,", KNOWN, {}),
        ("contracts", f"{CONTRACT}\nA,B,C,D,2011-06-01,2010-06-01", KNOWN, {"ends_on": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "live_before_ends": [
        ("agreements", f"{AGREEMENT},live_on,ends_on\nA,B,specialist,yes,2011-07-01,", KNOWN, {}),
        ("agreements", f"{AGREEMENT},live_on,ends_on\nA,B,specialist,yes,2011-07-01,2011-06-30", KNOWN,
         {"ends_on": (2,)}),
        ("agreements", f"{AGREEMENT}\nA,B,specialist,yes", KNOWN, None),
    ],
    "referred_before_started": [
        ("referrals", f"{REFERRAL},started_on\n{R1},2011-09-05\n{R1},", KNOWN, {}),
        ("referrals", f"{REFERRAL},started_on\n{R1},2011-09-04", KNOWN, {"started_on": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "invoiced_before_paid": [
        ("payments", f"{PAYMENT},invoiced_on,paid_on\n{P1},2011-09-06,2011-09-06\n{P1},2011-09-06,",
         KNOWN, {}),
        ("payments", f"{PAYMENT},invoiced_on,paid_on\n{P1},2011-09-06,2011-09-05", KNOWN,
         {"paid_on": (2,)}),
        ("payments", f"{PAYMENT}\n{P1}", KNOWN, None),
    ],
    "paid_after_earned": [
        ("payments", f"{PAYMENT},paid_on\n{P1},2011-09-05", KNOWN, {}),
        ("payments", f"{PAYMENT},paid_on\n{P1},2011-09-04", KNOWN, {"paid_on": (2,)}),
        ("payments", f"{PAYMENT}\n{P1}", KNOWN, None),
    ],
    "received_near_earned": [
        ("payments", f"{PAYMENT},received_on\n{P1},2011-08-05\n{P1},2013-09-05", KNOWN, {}),
        ("payments", f"{PAYMENT},received_on\n{P1},2011-08-04\n{P1},2013-09-06", KNOWN,
         {"received_on": (2, 3)}),
        ("payments", f"{PAYMENT}\n{P1}", KNOWN, None),
    ],
    "amount_is_an_id": [
        ("payments", f"{PAYMENT}\n{P1}\nP250000,A,B,job_outcome,2011-09-05,250000.00\n"
         "P3,A,B,job_outcome,2011-09-05,250001", KNOWN, {}),
        ("payments", f"{PAYMENT},client_ref\nP1,A,GB-CHC-1164883,job_outcome,2011-09-05,1164883,\n"
         "P-004567,A,B,job_outcome,2011-09-05,10,\nP3,A,B,job_outcome,2011-09-05,004567,\n"
         "P4,A,B,job_outcome,2011-09-05,471100,C-471100\nP5,A,B,job_outcome,2011-09-05,471100,C-5",
         KNOWN, {"subcontractor_amount": (2, 4, 5)}),
        ("payments", "subcontractor_amount\n1164883", KNOWN, {}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "amount_is_a_date": [
        ("payments", f"{PAYMENT}\nP1,A,B,job_outcome,2011-09-05,20129931", KNOWN, {}),
        ("payments", f"{PAYMENT}\nP1,A,B,job_outcome,2011-09-05,20120331\n"
         "P2,A,B,job_outcome,2011-09-05,31032012", KNOWN, {"subcontractor_amount": (2, 3)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "more_than_received": [
        ("payments", f"{PAYMENT},commissioner_amount\n{P1},1000\n{P1},\n"
         "P3,A,B,adjustment,2011-09-05,10,5", KNOWN, {}),
        ("payments", f"{PAYMENT},commissioner_amount\n{P1},999.99", KNOWN,
         {"subcontractor_amount": (2,)}),
        ("payments", f"{PAYMENT}\n{P1}", KNOWN, None),
    ],
    "hundredfold_outliers": [
        ("payments", f"{PAYMENT}\n" + "\n".join(
            f"P{n},A,B,job_outcome,2011-09-05,{amount}" for n, amount in
            enumerate((100, 100, 100, 10000, 1))), KNOWN, {}),
        ("payments", f"{PAYMENT}\n" + "\n".join(
            f"P{n},A,B,{kind},2011-09-05,{amount}" for n, (kind, amount) in enumerate(
                [("job_outcome", 100)] * 4 + [("job_outcome", "10000.01"), ("job_outcome", 0.99)]
                + [("sustainment", 1)] * 3 + [("sustainment", 5000)])), KNOWN,
         {"subcontractor_amount": (6, 7)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "one_name_one_id": [
        ("organisations", "organisation_id,name,sector\nA-1,Trust 1 of Example,voluntary\n"
         "A-2,Trust 2 of Example,voluntary\nGB-CHC-100001,Example Housing Trust,voluntary", KNOWN, {}),
        ("organisations", "organisation_id,name,sector\nA-1,The Bright Start Co. Ltd,private\n"
         "A-2,BRIGHT START CO,private\nA-3,Exampel Housing Trust,voluntary\n"
         "A-4,Second Example Limited,voluntary", KNOWN, {"name": (2, 3, 4, 5)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "name_changed": [
        ("organisations", "organisation_id,name,sector\nGB-CHC-100001,EXAMPLE housing trust,voluntary\n"
         "new,New,voluntary", KNOWN, {}),
        ("organisations", "organisation_id,name,sector\nGB-CHC-100001,Quite Different,voluntary", KNOWN,
         {"name": (2,)}),
        ("organisations", "organisation_id,name,sector\nA,B,voluntary", NOTHING_KNOWN, None),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "sector_agrees": [
        ("organisations", "organisation_id,name,sector\nGB-CHC-100001,Example Housing Trust,public",
         KNOWN, {}),
        ("organisations", "organisation_id,name,sector\nA,Same Name,voluntary\nB,Same Name Ltd,private\n"
         "C,Second Example,public\nD,Third,public", KNOWN, {"sector": (2, 3, 4)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "organisation_known": [
        ("contracts", f"{CONTRACT}\nA,B,GB-GOR-1,GB-COH-1000,2011-06-01,", KNOWN, {}),
        ("contracts", f"{CONTRACT}\nA,B,GB-GOR-2,GB-COH-1000,2011-06-01,\nA,B,GB-GOR-1,X,2011-06-01,",
         KNOWN, {"commissioner_id": (2,), "prime_id": (3,)}),
        ("agreements", f"{AGREEMENT}\nWP-01-A,nobody,specialist,yes", KNOWN, {"subcontractor_id": (2,)}),
        ("contracts", f"{CONTRACT}\nA,B,C,D,2011-06-01,", NOTHING_KNOWN, None),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
    ],
    "contract_known": [
        ("referrals", f"{REFERRAL}\n{R1}", replace(NOTHING_KNOWN, reporter_id="X"),
         {"contract_id": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, {}),
        ("referrals", f"{REFERRAL}\n{R1}\nR2,WP-1-A,B,C,2011-09-05", KNOWN, {"contract_id": (3,)}),
        ("referrals", f"{REFERRAL}\n{R1}", NOTHING_KNOWN, None),
        ("contracts", f"{CONTRACT}\nA,B,C,D,2011-06-01,", KNOWN, None),
    ],
    "agreement_known": [
        ("referrals", f"{REFERRAL}\n{R1}", replace(KNOWN, registers={"contracts":
         REGISTERS["contracts"]}, reporter_id="GB-COH-1000"), {"subcontractor_id": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}\nR2,WP-01-A,GB-COH-1000,C,2011-09-05\n"
         "R3,no such contract,B,C,2011-09-05", KNOWN, {}),
        ("referrals", f"{REFERRAL}\nR2,WP-01-A,GB-CHC-100002,C,2011-09-05\n"
         "R3,WP-02-A,GB-COH-1000,C,2011-09-05", KNOWN, {"subcontractor_id": (2, 3)}),
        ("forecasts", f"{FORECAST}\nWP-01-A,,,2011-09,4,2011-05-01\n"
         "WP-01-A,GB-COH-1000,,2011-09,4,2011-05-01", KNOWN, {"subcontractor_id": (3,)}),
        ("referrals", f"{REFERRAL}\n{R1}", NOTHING_KNOWN, None),
        ("contracts", f"{CONTRACT}\nA,B,C,D,2011-06-01,", KNOWN, None),
    ],
    "client_group_known": [
        ("referrals", f"{REFERRAL}\n{R1}\nR2,WP-02-A,B,whatever,2011-09-05", KNOWN, {}),
        ("referrals", f"{REFERRAL}\nR1,WP-01-A,B,JSA 25,2011-09-05", KNOWN, {"client_group": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", NOTHING_KNOWN, None),
        ("contracts", f"{CONTRACT}\nA,B,C,D,2011-06-01,", KNOWN, None),
    ],
    "reporter_may_report": [
        ("referrals", f"{REFERRAL}\n{R1}", by("GB-COH-1000"), {}),
        ("referrals", f"{REFERRAL}\n{R1}", by("GB-GOR-1"), {}),
        ("referrals", f"{REFERRAL}\n{R1}", by("GB-CHC-100001"), {}),
        ("referrals", f"{REFERRAL}\n{R1}\nR2,WP-02-A,GB-CHC-100002,C,2011-09-05", by("GB-COH-2000"),
         {"contract_id": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}\nR2,WP-02-A,GB-CHC-100002,C,2011-09-05", by("GB-CHC-100002"),
         {"contract_id": (2,)}),
        ("referrals", f"{REFERRAL}\n{R1}", by("LVN"), {None: ()}),
        ("referrals", f"{REFERRAL}\n{R1}", by("GB-COH-1001"), {None: ()}),
        ("referrals", f"{REFERRAL}\n{R1}", KNOWN, None),
        ("referrals", f"{REFERRAL}\n{R1}", replace(NOTHING_KNOWN, reporter_id="X"), {None: ()}),
        ("organisations", "organisation_id,name,sector\nA,B,public",
         replace(NOTHING_KNOWN, reporter_id="X"), None),
        ("contracts", f"{CONTRACT}\nNEW,B,GB-GOR-1,GB-COH-1000,2011-06-01,", by("GB-GOR-1"), {}),
        ("contracts", f"{CONTRACT}\nWP-01-A,B,GB-COH-1000,GB-COH-1000,2011-06-01,\n"
         "NEW,B,GB-COH-1000,GB-COH-1000,2011-06-01,", by("GB-COH-1000"),
         {"commissioner_id": (2, 3)}),
        ("contracts", f"{CONTRACT}\nNEW,B,GB-CHC-100001,GB-COH-1000,2011-06-01,",
         by("GB-CHC-100001"), {"commissioner_id": (2,)}),
        ("agreements", f"{AGREEMENT}\nWP-02-A,GB-CHC-100001,specialist,yes", by("GB-CHC-100001"),
         {"contract_id": (2,)}),
        ("referrals", "referral_id\nR1", by("GB-COH-1000"), {}),
        ("organisations", "organisation_id,name,sector\nA,B,public", by("LVN"), {}),
        ("organisations", "organisation_id,name,sector\nA,B,public", by("GB-GOR-1"), {}),
        ("organisations", "organisation_id,name,sector\nA,B,public", by("GB-COH-1000"), {None: (2,)}),
        ("contracts", f"{CONTRACT}\nA,B,GB-GOR-1,D,2011-06-01,\nB,B,X,D,2011-06-01,", by("GB-GOR-1"),
         {"commissioner_id": (3,)}),
        ("contracts", f"{CONTRACT}\nA,B,GB-GOR-1,GB-COH-1000,2011-06-01,", by("GB-COH-1000"),
         {"commissioner_id": (2,)}),
        ("agreements", f"{AGREEMENT}\nWP-01-A,GB-CHC-100001,specialist,yes", by("GB-CHC-100001"), {}),
        ("agreements", f"{AGREEMENT}\nWP-01-A,GB-CHC-100001,specialist,yes", by("GB-CHC-100002"),
         {"contract_id": (2,)}),
        ("prices", "contract_id,subcontractor_id,client_group,payment_type,price\n"
         "WP-01-A,GB-CHC-100001,ESA,job_outcome,1", by("GB-CHC-100001"), {"contract_id": (2,)}),
        ("prices", "contract_id,subcontractor_id,client_group,payment_type,price\n"
         "WP-01-A,,ESA,job_outcome,1", by("GB-COH-1000"), {}),
    ],
    "national_insurance": [
        ("referrals", f"{REFERRAL},Notes\n{R1},GB123456A\n{R1},AB12345C\n{R1},XAB123456CX", KNOWN, {}),
        ("referrals", f"{REFERRAL},Notes,client_ref\n{R1},see AB 12 34 56 C.,\n{R1},,jk987654d", KNOWN,
         {"Notes": (2,), "client_ref": (3,)}),
    ],
    "nhs_number": [
        ("referrals", f"{REFERRAL},client_ref\n{R1},1000000000\n{R1},1000000001\n{R1},1000000010\n"
         f"{R1},94347659191", KNOWN, {}),
        ("referrals", f"{REFERRAL},client_ref,Notes\n{R1},943 476 5919,\n{R1},9434765919,943-476-5918",
         KNOWN, {"client_ref": (2, 3)}),
    ],
    "email": [
        ("referrals", f"{REFERRAL},Notes\n{R1},met @ 5 pm", KNOWN, {}),
        ("referrals", f"{REFERRAL},Notes\n{R1},write to jo.bloggs@example.org.uk please", KNOWN,
         {"Notes": (2,)}),
    ],
    "telephone": [
        ("payments", f"{PAYMENT},Notes\nP1,A,B,job_outcome,2011-09-05,07700900123,2011-09-05", KNOWN, {}),
        ("referrals", f"{REFERRAL}\n0123456789,A,B,C,2011-09-05\n0123456790,A,B,C,2011-09-05", KNOWN, {}),
        ("referrals", f"{REFERRAL},Notes,client_ref\n{R1},call 07700 900123,\n{R1},,+44 20 7946 0018\n"
         f"{R1},(020) 7946 0018,02079460018\n07700900123,A,B,C,2011-09-05,,", KNOWN,
         {"referral_id": (5,), "Notes": (2, 4), "client_ref": (3, 4)}),
    ],
    "postcode": [
        ("referrals", f"{REFERRAL},Notes,client_ref\n{R1},QQ1 1AA,\n{R1},SE1,SW1A1AA", KNOWN, {}),
        ("referrals", f"{REFERRAL},Notes,client_ref\n{R1},lives at sw1a 1aa,\n{R1},E16AN,E1 6AN", KNOWN,
         {"Notes": (2, 3), "client_ref": (3,)}),
    ],
    "date_of_birth": [
        ("referrals", f"{REFERRAL},Adobe version\n{R1},9", KNOWN, {}),
        ("referrals", f"{REFERRAL},DOB,Date_of_Birth,BirthDate\n{R1},1970-01-01,,x", KNOWN,
         {"DOB": (2,), "BirthDate": (2,)}),
    ],
    "person_name": [
        ("referrals", f"{REFERRAL},Subcontractor name,Prime name,Organisation\n{R1},A,B,C", KNOWN, {}),
        ("organisations", "organisation_id,name,sector,Address\nA,B,public,1 High Street", KNOWN, {}),
        ("referrals", f"{REFERRAL},Surname,First_Name,Name,Home address,Title\n{R1},A,B,C,D,\n{R1},,,,E,Dr",
         KNOWN, {"Surname": (2,), "First_Name": (2,), "Name": (2,), "Home address": (2, 3),
                 "Title": (3,)}),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("check_id", "number"),
    [
        (check_id, number)
        for check_id, examples in EXAMPLES.items()
        for number in range(len(examples))
    ],
)
def test_a_check_finds_exactly_the_rows_that_break_its_promise(check_id, number):
    table_id, file, circumstances, expected = EXAMPLES[check_id][number]
    sheet = sheet_of(table_id, file) if isinstance(file, str) else file
    verdict = check(sheet, TABLES[table_id], circumstances)
    found: dict[str | None, tuple[int, ...]] = {}
    for finding in verdict.findings:
        if finding.check == check_id:
            found[finding.column] = tuple(sorted({*found.get(finding.column, ()), *finding.rows}))
            assert finding.count == (len(finding.rows) or 1)
    (outcome,) = [outcome for outcome in verdict.outcomes if outcome.check == check_id]
    assert found == (expected or {})
    assert outcome.status == (
        "not_applicable" if expected is None else "failed" if expected else "passed"
    )
    assert bool(outcome.reason) == (expected is None)


def test_every_check_has_an_example_that_passes_and_one_that_fails():
    assert set(EXAMPLES) == {one.id for one in all_checks()}
    for check_id, examples in EXAMPLES.items():
        expected = [example[3] for example in examples]
        assert {} in expected, check_id
        assert any(expected), check_id


def test_every_check_says_what_it_promises_and_how_to_mend_a_breach():
    ids = [one.id for one in all_checks()]
    assert len(ids) == len(set(ids))
    for one in all_checks():
        assert one.family in FAMILIES
        for sentence in (one.promise, one.why_it_matters, one.remedy):
            assert sentence[0].isupper(), one.id
            assert sentence.endswith("."), one.id
        assert one.version >= 1


def finding_of(table_id, text, circumstances, check_id):
    findings = check(sheet_of(table_id, text), TABLES[table_id], circumstances).findings
    return next(finding for finding in findings if finding.check == check_id)


@pytest.mark.parametrize(
    ("table_id", "text", "circumstances", "check_id", "message"),
    [
        ("payments", f"{PAYMENT}\nP1,A,B,job_outcome,2011-09-05,-5", KNOWN, "amounts_not_negative",
         'subcontractor_amount must be 0 or more; row 2 has "-5".'),
        ("referrals", "contract_id\nWP-01-A", KNOWN, "required_columns",
         "The file lacks the columns referral_id, subcontractor_id, client_group, referred_on, "
         "which the referrals table requires."),
        ("referrals", f"{PAYMENT}\n{P1}", KNOWN, "required_columns",
         "The file lacks the columns referral_id, client_group, referred_on, which the referrals "
         "table requires. This looks like a payments file: choose that table."),
        ("referrals", f"{REFERRAL}\n,A,B,C,2011-09-05\n,A,B,C,2011-09-05", KNOWN, "required_cells",
         "referral_id must be filled in; 2 rows leave it empty, the first is row 2."),
        ("agreements", f"{AGREEMENT},promised_share\nA,B,specialist,yes,15", KNOWN, "rates_zero_to_one",
         'promised_share must lie between 0 and 1; row 2 has "15". If 15 per cent is meant, write '
         "15% or 0.15."),
        ("referrals", f"{REFERRAL}\nR1,WP-01-B,B,C,2011-09-05\nR2,WP-01-B,B,C,2011-09-05", KNOWN,
         "contract_known",
         "contract_id must be an id in the contracts register; 2 rows break this, the first is row 2 "
         'with "WP-01-B". Did you mean "WP-01-A"?'),
        ("referrals", f"{REFERRAL}\n{R1}", by("LVN"), "reporter_may_report",
         "A network submits logs on behalf of an organisation: name that organisation as the "
         "reporter (--by)."),
        ("referrals", f"{REFERRAL}\n{R1}", by("GB-COH-1001"), "reporter_may_report",
         'GB-COH-1001 is not in the organisations register. Did you mean "GB-COH-1000"?'),
        ("referrals", f"{REFERRAL}\nR1,WP-01-A,B,C,2011-05-31", KNOWN, "within_contract",
         'referred_on must not be before the contract; row 2 has "2011-05-31". Contract WP-01-A starts '
         "on 2011-06-01."),
        ("organisations", "organisation_id,name,sector\nGB-CHC-100001,Renamed Body,voluntary", KNOWN,
         "name_changed", 'name should be what the register has for the same id; row 2 has "Renamed '
         'Body". It was Example Housing Trust before.'),
        ("referrals", f"{REFERRAL},Surname\n{R1},Bloggs", KNOWN, "person_name",
         "The column Surname is headed as a person's name or address; row 2 has \"B****s\"."),
    ],
)  # fmt: skip
def test_what_is_said(table_id, text, circumstances, check_id, message):
    assert finding_of(table_id, text, circumstances, check_id).message == message


def test_did_you_mean_for_a_header():
    sheet = sheet_of("referrals", f"{REFERRAL.replace('referred_on', 'Date reffered')}\n{R1}")
    sheet = replace(sheet, extras=(Extra("extra_1", "Date reffered", "referred_on"),))
    (finding,) = [
        finding
        for finding in check(sheet, TABLES["referrals"], KNOWN).findings
        if finding.check == "required_columns"
    ]
    assert finding.message == (
        "The file lacks the column referred_on, which the referrals table requires. Did you mean: "
        '"Date reffered" may be meant for referred_on: rename it.'
    )


@pytest.mark.parametrize(("count", "shown"), [(1, "1 cell instead of 5"), (6, "6 cells instead")])
def test_a_ragged_row_is_told_by_how_many_cells_it_has(count, shown):
    sheet = replace(sheet_of("referrals", f"{REFERRAL}\n{R1}"), ragged=(Ragged(9, 5, count),))
    messages = [one.message for one in check(sheet, TABLES["referrals"], KNOWN).findings]
    assert any(shown in one for one in messages), messages


def test_columns_that_are_kept_out_are_told():
    verdict = check(sheet_of("referrals", f"{REFERRAL},Notes\n{R1},x"), TABLES["referrals"], KNOWN)
    assert verdict.notices == ('Kept out, as the referrals table has no such column: "Notes".',)
    assert verdict.fit
    assert verdict.findings == ()


def test_warnings_do_not_refuse():
    text = f"{PAYMENT},commissioner_amount\n{P1},999"
    verdict = check(sheet_of("payments", text), TABLES["payments"], KNOWN)
    assert verdict.fit
    assert [finding.check for finding in verdict.warnings] == ["more_than_received"]


def test_answer_has_the_shape_of_the_standard():
    text = f"{PAYMENT}\n" + "\n".join(
        f"P{n},WP-01-A,GB-CHC-100001,job_outcome,2011-09-05,-{n}" for n in range(1, 8)
    )
    answer = check(sheet_of("payments", text), TABLES["payments"], KNOWN).answer()
    assert (answer["table"], answer["file"], answer["rows"], answer["fit"]) == (
        "payments",
        "payments.csv",
        7,
        False,
    )
    assert answer["findings"] == [
        {
            "check": "amounts_not_negative",
            "family": "range",
            "severity": "refuse",
            "column": "subcontractor_amount",
            "count": 7,
            "rows": (2, 3, 4, 5, 6, 7, 8),
            "examples": tuple({"row": n + 1, "value": f"-{n}"} for n in range(1, 6)),
            "message": "subcontractor_amount must be 0 or more; 7 rows break this, the first is row 2 "
            'with "-1".',
            "remedy": 'Enter corrections as a separate row of type "adjustment".',
        }
    ]
