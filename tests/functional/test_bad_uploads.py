"""Every file of the corpus of bad uploads gets an answer, soon and in little memory.

Each is taken for referrals or payments in turn; with FAIRTIER_CORPUS=full for both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

MOST_SECONDS = 10
MOST_MIB = 1024

# One process takes all files as `fairtier check` would, so that Great Expectations is loaded once.
SCRIPT = """
import json, resource, sys, time
from pathlib import Path
from dashboard.service import Service
from data.scope import OPERATOR
from data.errors import UserError

corpus, store, full = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "full"
TABLES = ("referrals", "payments")
service = Service(store, OPERATOR)
for number, path in enumerate(sorted(one for one in corpus.rglob("*") if one.is_file())):
    for table in TABLES if full else TABLES[number % 2:][:1]:
        started = time.perf_counter()
        said = []
        try:
            verdict = service.examine(table, path).verdict
            code = 0 if verdict.fit else 1
            said = [f.message + " " + f.remedy for f in verdict.findings if f.severity == "refuse"]
        except UserError as error:
            code, said = error.exit_code, [str(error)]
        seconds = time.perf_counter() - started
        name = str(path.relative_to(corpus))
        print(json.dumps({"file": name, "table": table, "code": code, "said": said,
                          "seconds": seconds}))
print(json.dumps({"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read from the resource module")
def test_every_bad_upload_gets_an_answer(shared_data, tmp_path, capsys):
    corpus = shared_data / "bad_uploads"
    full = os.environ.get("FAIRTIER_CORPUS") == "full"
    arguments = [str(corpus), str(tmp_path / "store"), "full" if full else "in turn"]
    result = subprocess.run(
        [sys.executable, "-P", "-c", SCRIPT, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    *answers, peak = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == (1 + full) * sum(path.is_file() for path in corpus.rglob("*"))
    for answer in answers:
        assert answer["code"] in (0, 1, 2), answer
        assert answer["seconds"] < MOST_SECONDS, answer
        if answer["code"]:
            assert answer["said"], answer
            assert all(len(text) > 20 and text.strip()[-1] in ".?" for text in answer["said"])
            assert not any("Traceback" in text for text in answer["said"]), answer
    assert peak["peak_mib"] < MOST_MIB
    counts = Counter((answer["table"], answer["code"]) for answer in answers)
    with capsys.disabled():
        words = {0: "fit", 1: "refused with rows or columns to mend", 2: "not usable"}
        print()
        for (table, code), count in sorted(counts.items()):
            print(f"  {table}: {count} {words[code]} (exit {code})")
        slowest = max(answers, key=lambda answer: answer["seconds"])
        print(f"  slowest {slowest['seconds']:.1f} s ({slowest['file']})")
        print(f"  peak memory {peak['peak_mib']:.0f} MiB")


def test_the_published_file_as_it_stands_is_refused_with_what_to_do(shared_data, tmp_path):
    from dashboard.service import Service
    from data.scope import OPERATOR

    published = shared_data / "nhs_talking_therapies/referrals_received_by_provider_year.csv"
    verdict = Service(tmp_path / "store", OPERATOR).examine("referrals", published).verdict
    assert not verdict.fit
    (finding,) = [f for f in verdict.findings if f.severity == "refuse"]
    assert finding.check == "required_columns"
    for column in ("referral_id", "contract_id", "subcontractor_id", "client_group", "referred_on"):
        assert column in finding.message
    assert "template" in finding.remedy
