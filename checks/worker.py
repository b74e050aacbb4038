"""A process of its own that reads and checks files, so that no other imports Great Expectations."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Lock, Thread
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from checks.run import check
from data.errors import UserError
from data.read import read_file
from data.tables import table_named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from checks.definition import Circumstances, Verdict
    from data.read import Sheet
    from data.table import Table

P = ParamSpec("P")
R = TypeVar("R")


def check_file(
    path: Path, table_id: str, circumstances: Circumstances, file_name: str | None = None
) -> Verdict:
    """Read and check a file in this process; UserError if it cannot be read as a table."""
    table = table_named(table_id)
    return check(read_file(path, table, file_name), table, circumstances)


def warm_up() -> None:
    """Import Great Expectations and judge one value, so that the first file does not wait."""
    from checks.definition import between  # noqa: PLC0415
    from checks.expectations import judge  # noqa: PLC0415 - only in the worker process

    judge([(between(0, 1), [0])])


def begin() -> None:  # pragma: no cover - runs in the worker process only
    """Warm up; leave Ctrl+C to the process that started this one, and end when it has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    warm_up()


def _end_with_parent() -> None:  # pragma: no cover - runs in the worker process only
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


class Worker:
    """One long-lived process that checks files, or answers other questions, one after another.

    It starts, and warms up, at once; `with Worker() as worker` ends it. May be shared by threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._pool = self._started()

    def check(
        self,
        path: Path,
        table_id: str,
        circumstances: Circumstances,
        file_name: str | None = None,
    ) -> Verdict:
        """What there is to say about a file; UserError if it cannot be read as a table.

        A process that died is replaced and the file tried once more.
        """
        return self.ask(check_file, path, table_id, circumstances, file_name)

    def check_sheet(self, sheet: Sheet, table: Table, circumstances: Circumstances) -> Verdict:
        """What there is to say about a file that was read already, as `checks.run.check` has it."""
        return self.ask(check, sheet, table, circumstances)

    def ask(self, question: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What a function at the top of a module returns or raises, called in the process.

        So what needs much memory leaves the asking process small. A function whose process died is
        called once more, so it must do no harm twice.
        """
        for _ in range(2):
            pool = self._pool
            try:
                return pool.submit(question, *args, **kwargs).result()
            except BrokenProcessPool:
                self._replace(pool)
        raise UserError(
            "The file could not be checked, because checking it ended unexpectedly twice, most "
            "likely for want of memory. Split it by month and check the parts."
        )

    def close(self) -> None:
        """End the process; files being checked are finished first."""
        self._pool.shutdown()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        self.close()

    @staticmethod
    def _started() -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(
            max_workers=1, mp_context=multiprocessing.get_context("spawn"), initializer=begin
        )
        pool.submit(int)  # a pool starts its process with the first task
        return pool

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                broken.shutdown(wait=False)
                self._pool = self._started()
