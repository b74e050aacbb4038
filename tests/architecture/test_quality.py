"""The house rules that a program can hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("data", "checks", "metrics", "dashboard")
BIN = Path(sys.executable).parent


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("mypy",),
        ("lint-imports", "--no-cache"),
        # B608: SQL from our own declarations (see ruff's S608); B101: asserts narrow types;
        # B311: the example's chance is no secret; B404, B603: the set-up starts pip and Python.
        ("bandit", "-q", "-r", *OURS, "start.py", "-s", "B608,B101,B311,B404,B603"),
    ],
    ids=" ".join,
)
def test_format_lint_types_and_direction_of_imports(command):
    name, *rest = command
    result = run(str(BIN / name), *rest)
    assert result.returncode == 0, result.stdout + result.stderr


def test_documentation_made_from_definitions_is_fresh():
    result = run(sys.executable, "-P", "-m", "dashboard.documentation", "--check")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", OURS)
def test_the_four_names_resolve_inside_the_repository(name):
    code = f"import {name}, pathlib; print(pathlib.Path({name}.__file__).resolve().parent)"
    result = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd="/", capture_output=True, text=True, check=True
    )
    assert Path(result.stdout.strip()) == ROOT / name


def tracked() -> list[Path]:
    listed = run("git", "ls-files").stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("lock", ["requirements", "requirements-test", "requirements-spark"])
def test_every_package_of_a_lock_is_pinned_with_hashes(lock):
    text = (ROOT / f"{lock}.lock").read_text(encoding="utf-8")
    packages = re.split(r"\n(?=\S)", text.strip())
    assert len(packages) > 50
    for package in packages:
        assert re.match(r"[a-z0-9._\[\],-]+==\S+", package), package
        assert "--hash=sha256:" in package, package


def test_nothing_names_a_package_index():
    hosts = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org")
    for path in tracked():
        content = path.read_bytes()
        for host in hosts:
            assert host.encode() not in content, path


def test_the_locks_pin_every_version_with_hashes():
    for lock in ROOT.glob("requirements*.lock"):
        pins = re.findall(r"^[A-Za-z0-9_.\-\[\]]+==\S+.*$", lock.read_text(), re.MULTILINE)
        assert len(pins) > 20, lock
        assert lock.read_text().count("--hash=sha256:") >= len(pins), lock


def test_modules_are_nouns_of_the_field():
    vague = {"utils", "util", "helpers", "common", "core", "manager", "misc"}
    names = {path.stem for path in tracked() if path.suffix == ".py"}
    assert not names & vague


def test_no_folder_is_served_by_accident():
    assert not [path for path in ROOT.rglob("pages") if ".venv" not in path.parts]
    clash = {"metrics", "checks", "data", "tests"}
    assert not clash & {path.stem for path in (ROOT / "dashboard").iterdir()}


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (("--help",), ("great_expectations", "streamlit", "pandas", "scipy")),
        (("flags", "--store", "{store}"), ("great_expectations", "streamlit", "scipy.stats")),
        (("history", "--store", "{store}"), ("great_expectations", "streamlit")),
    ],
)
def test_a_command_imports_only_what_it_needs(arguments, absent, demo_store):
    line = [argument.format(store=demo_store) for argument in arguments]
    code = (
        "import sys\n"
        "from dashboard.__main__ import main\n"
        f"sys.argv = ['fairtier', *{line!r}]\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        f"print('LOADED', [name for name in {absent!r} if name in sys.modules])\n"
    )
    result = run(sys.executable, "-P", "-c", code)
    assert "LOADED []" in result.stdout, result.stdout[-2000:] + result.stderr
