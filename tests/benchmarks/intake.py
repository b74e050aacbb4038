"""How long a log takes from its bytes to a verdict that names every failing row.

    python tests/benchmarks/intake.py [--json] [--quick] [--rows 5000]

Beside Fairtier (reading, all checks, findings, rows), in the same warm process and on the same
rows: Great Expectations validating the same kinds of rules in one suite on a pandas frame, with
row evidence. Goal: at 5,000 rows at most 1.5 times that suite's time.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import json
import platform
import random
import statistics
import time
from importlib.metadata import version

import pyarrow as pa

from checks.definition import Circumstances
from checks.run import check
from data.parse import PATTERNS
from data.read import read_content
from data.tables import TABLES

GOAL_RATIO = 1.5
PAYMENTS = TABLES["payments"]
KINDS = ("attachment_fee", "job_outcome", "sustainment")
GROUPS = ("JSA 18-24", "JSA 25+", "ESA ex-IB")
CONTRACTS = {f"K{number}": f"PRIME-{number}" for number in range(6)}
SUBCONTRACTORS = [f"SUB-{number}" for number in range(60)]


def log(row_count: int, bad_share: float = 0.1) -> bytes:
    """A payments log as CSV; `bad_share` of its rows have one of eight mistakes."""
    draw = random.Random(2012)  # noqa: S311
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(PAYMENTS.column_ids)
    first = dt.date(2011, 6, 1)
    for number in range(row_count):
        earned = first + dt.timedelta(days=draw.randrange(500))
        amount = draw.randrange(10_000, 300_000)
        row = {
            "payment_id": f"P-{number:07}",
            "contract_id": draw.choice(list(CONTRACTS)),
            "subcontractor_id": draw.choice(SUBCONTRACTORS),
            "payment_type": draw.choice(KINDS),
            "client_group": draw.choice(GROUPS),
            "client_ref": f"C-{draw.randrange(row_count):07}",
            "earned_on": earned.isoformat(),
            "commissioner_amount": f"{amount / 100:.2f}",
            "received_on": (earned + dt.timedelta(days=30)).isoformat(),
            "subcontractor_amount": f"{amount * 0.85 / 100:.2f}",
            "invoiced_on": (earned + dt.timedelta(days=10)).isoformat(),
            "paid_on": (earned + dt.timedelta(days=45)).isoformat(),
        }
        if draw.random() < bad_share:
            row |= draw.choice(
                [
                    {"payment_id": ""},
                    {"payment_id": "P-0000000"},
                    {"subcontractor_amount": "-5"},
                    {"subcontractor_amount": "12.345"},
                    {"earned_on": "2011-02-30"},
                    {"contract_id": "K99"},
                    {"payment_type": "bonus"},
                    {"paid_on": earned.isoformat()},
                ]
            )
        writer.writerow(row.values())
    return text.getvalue().encode()


def register(table_id: str, **columns: list[object]) -> pa.Table:
    """A register in force, with the columns that are not given left empty."""
    count = len(next(iter(columns.values())))
    return pa.table(
        {
            column.stored: columns.get(column.stored, pa.nulls(count))
            for column in TABLES[table_id].columns
        }
    )


def circumstances() -> Circumstances:
    """The registers that the log is checked against."""
    agreements = [(contract, sub) for contract in CONTRACTS for sub in SUBCONTRACTORS]
    members = ["COM", *CONTRACTS.values(), *SUBCONTRACTORS]
    return Circumstances(
        received_on=dt.date(2013, 6, 1),
        reporter_id="COM",
        registers={
            "organisations": register("organisations", organisation_id=members, name=members),
            "contracts": register(
                "contracts",
                contract_id=list(CONTRACTS),
                commissioner_id=["COM"] * len(CONTRACTS),
                prime_id=list(CONTRACTS.values()),
                starts_on=[dt.date(2011, 6, 1)] * len(CONTRACTS),
            ),
            "agreements": register(
                "agreements",
                contract_id=[contract for contract, _ in agreements],
                subcontractor_id=[sub for _, sub in agreements],
            ),
        },
        keepers=frozenset({"NET"}),
    )


def fairtier(content: bytes, around: Circumstances) -> tuple[float, int]:
    """Seconds from bytes to verdict, and how many rows are refused."""
    started = time.perf_counter()
    verdict = check(read_content(content, PAYMENTS, "payments.csv"), PAYMENTS, around)
    seconds = time.perf_counter() - started
    rows = {row for f in verdict.findings if f.severity == "refuse" for row in f.rows}
    return seconds, len(rows)


class Suite:
    """The same kinds of rules as one Great Expectations suite on a pandas frame."""

    def __init__(self) -> None:
        import great_expectations as gx
        import great_expectations.expectations as gxe
        import pandas as pd

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        source = context.data_sources.add_pandas("benchmark")
        asset = source.add_dataframe_asset("log")
        self.definition = asset.add_batch_definition_whole_dataframe("whole")
        required = PAYMENTS.required_ids
        dates = ("earned_on", "received_on", "invoiced_on", "paid_on")
        amounts = ("commissioner_amount", "subcontractor_amount")
        rules = [gxe.ExpectColumnValuesToNotBeNull(column=name) for name in required]
        rules += [
            gxe.ExpectColumnValuesToMatchRegex(
                column=column.id, regex=f"^(?:{PATTERNS[column.kind]})$"
            )
            for column in PAYMENTS.columns
        ]
        rules += [
            gxe.ExpectColumnValuesToBeInSet(column="payment_type", value_set=list(KINDS)),
            gxe.ExpectColumnValuesToBeInSet(column="contract_id", value_set=list(CONTRACTS)),
            gxe.ExpectColumnValuesToBeInSet(column="subcontractor_id", value_set=SUBCONTRACTORS),
            gxe.ExpectColumnValuesToBeUnique(column="payment_id"),
        ]
        rules += [
            gxe.ExpectColumnValuesToBeBetween(
                column=f"{name}_typed", min_value=pd.Timestamp("1990-01-01"),
                max_value=pd.Timestamp("2013-06-01"),
            )
            for name in dates
        ]  # fmt: skip
        rules += [
            gxe.ExpectColumnValuesToBeBetween(column=f"{name}_typed", min_value=0)
            for name in amounts
        ]
        rules += [
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=a, column_B=b, or_equal=True, ignore_row_if="either_value_is_missing"
            )
            for a, b in (
                ("paid_on_typed", "invoiced_on_typed"),
                ("received_on_typed", "earned_on_typed"),
                ("commissioner_amount_typed", "subcontractor_amount_typed"),
            )
        ]
        rules += [
            gxe.ExpectColumnValuesToNotMatchRegex(column=name, regex=r"[\w.]+@[\w.]+\.\w+")
            for name in ("client_ref", "client_group")
        ]
        self.rule_count = len(rules)
        self.suite = gx.ExpectationSuite(name="benchmark", expectations=rules)

    def run(self, content: bytes) -> tuple[float, int]:
        """Seconds for validating alone (reading and typing are not counted), and failing rows."""
        import pandas as pd

        frame = pd.read_csv(io.BytesIO(content), dtype=str)
        frame["row_number"] = range(2, len(frame) + 2)
        for name in ("earned_on", "received_on", "invoiced_on", "paid_on"):
            frame[f"{name}_typed"] = pd.to_datetime(frame[name], errors="coerce")
        for name in ("commissioner_amount", "subcontractor_amount"):
            frame[f"{name}_typed"] = pd.to_numeric(frame[name], errors="coerce")
        started = time.perf_counter()
        batch = self.definition.get_batch({"dataframe": frame})
        answer = batch.validate(
            self.suite,
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": ["row_number"],
            },
        )
        seconds = time.perf_counter() - started
        rows = {
            index["row_number"]
            for result in answer.results
            for index in result.result.get("unexpected_index_list") or []
        }
        return seconds, len(rows)


def main() -> None:
    """Measure, and print the figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--quick", action="store_true", help="fewer repeats")
    options.add_argument("--rows", type=int, default=5_000)
    chosen = options.parse_args()
    content, around, suite = log(chosen.rows), circumstances(), Suite()
    repeats = 5 if chosen.quick else 15
    fairtier(content, around)
    suite.run(content)
    ours, theirs = [], []
    for _ in range(repeats):  # in turn, so that a noisy moment falls on both
        ours.append(fairtier(content, around))
        theirs.append(suite.run(content))
    mine = statistics.median(seconds for seconds, _ in ours)
    suite_seconds = statistics.median(seconds for seconds, _ in theirs)
    ratio = mine / suite_seconds
    figures = {
        "rows": chosen.rows,
        "repeats": repeats,
        "fairtier_seconds": round(mine, 3),
        "fairtier_refused_rows": ours[0][1],
        "suite_seconds": round(suite_seconds, 3),
        "suite_rules": suite.rule_count,
        "suite_failing_rows": theirs[0][1],
        "ratio": round(ratio, 2),
        "goal_ratio": GOAL_RATIO,
        "goal_met": ratio <= GOAL_RATIO,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "versions": {name: version(name) for name in ("great-expectations", "duckdb", "pandas")},
    }
    if chosen.json:
        print(json.dumps(figures, indent=2))
        return
    print(
        f"{chosen.rows:,} rows, median of {repeats}: Fairtier {mine:.3f} s from bytes to verdict; "
        f"one suite of {suite.rule_count} rules on a pandas frame {suite_seconds:.3f} s; "
        f"ratio {ratio:.2f} (goal: at most {GOAL_RATIO})."
    )


if __name__ == "__main__":
    main()
