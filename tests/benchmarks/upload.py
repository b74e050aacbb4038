"""How much memory and time a large file takes on its way through the server.

    python tests/benchmarks/upload.py [--json] [--quick] [--bytes 1000000000]

A log of payments (1 GB; --quick 50 MB) is sent to `POST /api/v1/returns/payments` of a server in a
process of its own, which has it checked and recorded in another. Goal: the process that serves
grows by at most 20 MB at its peak, whatever the size of the file.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.functional import test_commands as example
from tests.functional.serving import (
    children_of,
    most_memory_bytes,
    secret_for,
    separately,
    small_store,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

GOAL_GROWTH_BYTES = 20_000_000
_BLOCK_BYTES = 1 << 18
_HEADER = (
    "payment_id,contract_id,subcontractor_id,payment_type,client_group,client_ref,earned_on,"
    "commissioner_amount,received_on,subcontractor_amount,invoiced_on,paid_on\n"
)


def write_log(path: Path, most_bytes: int) -> int:
    """Write a payments log without a mistake, of about so many bytes; the number of its rows."""
    number = 0
    with path.open("w", encoding="ascii") as file:
        written = file.write(_HEADER)
        while written < most_bytes:
            pounds, day = 1000 + number % 977, number % 30 + 1
            written += file.write(
                f"P-{number:08},K1,SUB-1,job_outcome,JSA 25+,C-{number:08},2011-06-{day:02},"
                f"{pounds}.00,2011-08-15,{pounds * 0.85:.2f},2011-08-20,2011-09-01\n"
            )
            number += 1
    return number


def blocks_of(path: Path) -> Iterator[bytes]:
    """The file piece by piece, so that the sender's memory is no part of it either."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def measured(most_bytes: int) -> dict[str, object]:
    """Send a log of so many bytes to a new store, and what that took."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        store = small_store(folder)
        secret = secret_for(store, "PRIME")
        log = folder / "payments.csv"
        row_count = write_log(log, most_bytes)
        headers = {"authorization": f"Bearer {secret}"}
        with (
            separately(store, folder) as (url, process_id),
            httpx.Client(
                base_url=f"{url}/api/v1", headers=headers, timeout=3600, trust_env=False
            ) as client,
        ):
            client.post("/checks/payments", content=example.PAYMENTS).raise_for_status()
            before = most_memory_bytes(process_id, from_now_on=True)
            began = time.perf_counter()
            answer = client.post("/returns/payments", content=blocks_of(log))
            seconds = time.perf_counter() - began
            after = most_memory_bytes(process_id)
            checking = max(map(most_memory_bytes, children_of(process_id)))
        answer.raise_for_status()
        recorded_count = answer.json()["return"]["rows"]
        if recorded_count != row_count:
            raise SystemExit(f"{row_count} rows were sent, and {recorded_count} recorded.")
        return {
            "file_bytes": log.stat().st_size,
            "rows": row_count,
            "seconds": round(seconds, 1),
            "serving_before_bytes": before,
            "serving_growth_bytes": after - before,
            "checking_peak_bytes": checking,
            "goal_growth_bytes": GOAL_GROWTH_BYTES,
            "goal_met": after - before <= GOAL_GROWTH_BYTES,
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
        }


def main() -> None:
    """Print how much the server grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.add_argument("--quick", action="store_true", help="50 MB")
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    chosen = parser.parse_args()
    figures = measured(50_000_000 if chosen.quick else chosen.bytes)
    if chosen.json:
        print(json.dumps(figures, indent=2))
        return
    megabytes = {name: int(figures[name]) / 1e6 for name in figures if name.endswith("_bytes")}  # type: ignore[call-overload]
    print(
        f"{megabytes['file_bytes']:,.0f} MB, {figures['rows']:,} rows, recorded in "
        f"{figures['seconds']} s: the process that serves grew by "
        f"{megabytes['serving_growth_bytes']:.1f} MB (goal: at most "
        f"{megabytes['goal_growth_bytes']:.0f} MB); the one that checks held up to "
        f"{megabytes['checking_peak_bytes']:,.0f} MB."
    )


if __name__ == "__main__":
    main()
