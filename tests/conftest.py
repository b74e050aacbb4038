"""What every kind of test shares: the worked example, loaded once."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.database import Database

# A slow machine is no failure, and a run that must stay green draws the same examples each time.
hypothesis.settings.register_profile("steady", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("steady")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def demo_store(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A store with the worked example in it, to read from only; all workers share one."""
    from filelock import FileLock

    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "demo"
    with FileLock(f"{folder}.lock"):
        if not (folder / "complete").exists():
            _record_demo(folder)
            (folder / "complete").touch()
    return folder / "store"


def _record_demo(folder: Path) -> None:
    from dashboard.service import Service
    from data.demo.chain import write_chain
    from data.errors import UserError
    from data.scope import OPERATOR

    manifest = write_chain(folder / "files")
    for delivery, draft, result in Service(folder / "store", OPERATOR).load(manifest):
        assert not isinstance(result, UserError), (delivery, draft and draft.verdict, result)


@pytest.fixture
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands print is not folded, whichever test imported them first."""
    from dashboard import terminal

    for console in (terminal.out, terminal.err):
        monkeypatch.setattr(console, "_width", 200)


@pytest.fixture
def demo_copy(demo_store: Path, tmp_path: Path) -> Path:
    """A copy of the worked example's store, to change."""
    return Path(shutil.copytree(demo_store, tmp_path / "store"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The published data and the corpus of bad files beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/data is not beside this checkout")
    return SHARED


class PostgreSQL:
    """A cluster of the test run's own, and the databases in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._made_count = 0
        self._emptied: list[Database] = []
        self._administration = sa.create_engine(
            self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )

    def url(self, name: str) -> sa.URL:
        host = {"host": str(self.folder)}
        return sa.URL.create("postgresql+psycopg", "fairtier", database=name, query=host)

    def do(self, statement: str) -> None:
        with self._administration.connect() as connection:
            connection.execute(sa.text(statement))

    def new(self) -> sa.URL:
        """A database with nothing in it, not even tables."""
        self._made_count += 1
        self.do(f"CREATE DATABASE test_{self._made_count} STRATEGY FILE_COPY")
        return self.url(f"test_{self._made_count}")

    def take(self, store: Path) -> Database:
        """A database brought up to date and empty: one used before, else a new one."""
        from data.database import Database

        database = self._emptied.pop() if self._emptied else Database(store, self.new())
        database.store = store
        return database

    def give_back(self, database: Database) -> None:
        """Empty a database for the next test: 20 times faster than making one."""
        from data.database import AUDIT_END, SCHEMA

        database.close()
        with database.writing() as connection:
            for table in reversed(SCHEMA.sorted_tables):
                connection.execute(table.delete())
            connection.execute(AUDIT_END.insert().values(audit_end_id=1, sequence=0, entry_hash=""))
        database.close()
        self._emptied.append(database)


def _postgresql_programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    return debian[-1].parent if debian else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """PostgreSQL in a temporary folder, reached by a socket in it; never root's."""
    programs = _postgresql_programs()
    if programs is None:
        missing = "PostgreSQL is not installed (initdb is neither on PATH nor in /usr/lib)"
        (pytest.fail if "CI" in os.environ else pytest.skip)(missing)
    folder = Path(tempfile.mkdtemp(prefix="fairtier-postgresql-"))
    as_owner: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]

    def run(program: str, *options: str) -> None:
        done = subprocess.run(
            [*as_owner, str(programs / program), *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        log = folder / "log"
        assert done.returncode == 0, done.stdout or (log.exists() and log.read_text())

    cluster = str(folder / "cluster")
    try:
        run(
            "initdb",
            "-D",
            cluster,
            "-U",
            "fairtier",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        )
        settings = (
            f"-c unix_socket_directories={folder} -c listen_addresses= -c fsync=off "
            "-c synchronous_commit=off -c full_page_writes=off -c max_connections=200 "
            "-c timezone=America/New_York"
        )
        run("pg_ctl", "start", "-D", cluster, "-w", "-l", str(folder / "log"), "-o", settings)
        try:
            yield PostgreSQL(folder)
        finally:
            run("pg_ctl", "stop", "-D", cluster, "-w", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database, once in the store and once on PostgreSQL."""
    from data.database import Database

    if request.param == "sqlite":
        file = tmp_path / "store" / "fairtier.db"
        opened = Database(tmp_path / "store", sa.URL.create("sqlite", database=str(file)))
        yield opened
        opened.close()
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    opened = server.take(tmp_path / "store")
    yield opened
    server.give_back(opened)


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real hashing of passwords with small parameters, where its cost is not the point."""
    from argon2 import PasswordHasher

    from data import passwords

    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", quick)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()
