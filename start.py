"""Set Fairtier up on a machine that has only Python, then hand the rest of the line to it.

    python3 start.py demo        the worked example, in the terminal and in a browser
    python3 start.py test        every check and test of the project
    python3 start.py COMMAND     any other fairtier command; --help lists them

The environment is made in .venv beside this file, and made anew when the lock changed. Only the
standard library is used here. With uv on the machine the set-up takes seconds, else pip does it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 11)


def run(*command: object) -> None:
    """Run a step of the set-up; stop with one sentence if it fails."""
    line = [str(part) for part in command]
    if subprocess.run(line, cwd=ROOT, check=False).returncode:
        sys.exit(
            f"The set-up stopped at: {' '.join(line)}\n"
            "The lines above say why. Check the connection to the package index, then try again."
        )


def install(lock: Path) -> None:
    """Make .venv hold exactly what the lock names, if it does not already."""
    wanted = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted += f" {ROOT}"
    stamp = VENV / f"{lock.stem}-{version}.installed"
    if PYTHON.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"Setting up {VENV} from {lock.name}; the first time takes a few minutes.", flush=True)
    if not PYTHON.exists() or not any(VENV.glob(f"*-{version}.installed")):
        run(sys.executable, "-m", "venv", "--clear", VENV)
    uv = shutil.which("uv")
    pip = [uv, "pip", "install", "--python", PYTHON] if uv else [PYTHON, "-m", "pip", "install"]
    quiet = ["--quiet"] if uv else ["--quiet", "--disable-pip-version-check"]
    run(*pip, *quiet, "--require-hashes", "-r", lock)
    run(*pip, *quiet, "--no-deps", "--no-build-isolation", "-e", ROOT)
    stamp.write_text(wanted, encoding="utf-8")


def main() -> int:
    """Install what the command needs, run it, and return its exit code."""
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        sys.exit(f"Fairtier needs Python {wanted} or later; this is {sys.version.split()[0]}.")
    command, rest = (sys.argv[1:] or ["--help"])[0], sys.argv[2:]
    testing = command == "test"
    install(ROOT / ("requirements-test.lock" if testing else "requirements.lock"))
    whole = ["--numprocesses=auto", "--dist=worksteal", "--cov"]
    whole += ["--cov-report=term-missing:skip-covered", "--cov-fail-under=100"]
    module = ["pytest", *(rest or whole)] if testing else ["dashboard", command, *rest]
    line = [str(PYTHON), "-P", "-m", *module]
    if testing:
        os.chdir(ROOT)
    if os.name != "nt":  # where it can, it becomes the command, so that signals reach that
        sys.stdout.flush()
        os.execv(line[0], line)  # noqa: S606 # nosec B606 - nothing of it is typed
    try:
        return subprocess.run(line, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
