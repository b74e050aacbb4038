"""Starting through `start.py`, which needs nothing installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Everything but the set-up, which asks a package index.
WITHOUT_SET_UP = """
import sys, start
start.install = lambda lock: None
start.PYTHON = sys.argv.pop(1)
sys.exit(start.main())
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_a_signal_reaches_the_command_and_not_only_what_started_it(tmp_path: Path):
    stands_in = tmp_path / "python"
    stands_in.write_text('#!/bin/sh\necho "$$ $*"\nexec sleep 60\n')
    stands_in.chmod(0o700)
    with subprocess.Popen(
        [sys.executable, "-c", WITHOUT_SET_UP, str(stands_in), "serve", "--shared"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        command_id, _, arguments = process.stdout.readline().strip().partition(" ")
        process.terminate()
        assert process.wait(20) == -signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(command_id), signal.SIGKILL)
    assert arguments == "-P -m dashboard serve --shared"
