"""Great Expectations judges every value it is asked about, or there is an error."""

from __future__ import annotations

import subprocess
import sys

import pytest

from checks.definition import Expected, between, matches, never_matches, one_of
from checks.expectations import ExpectationError, judge


def test_the_positions_of_the_values_that_fail():
    assert judge(
        [
            (between(0, 1), [0, 0.5, -0.1, 2]),
            (between(0, None), [5]),
            (one_of(["a", "b"]), ["a", "c", "b", "A"]),
            (matches("a|bc"), ["a", "bc", "abc", "xa", "a b"]),
            (never_matches("0{2}"), ["000", "00"]),
        ]
    ) == [[2, 3], [], [1, 3], [2, 3, 4], [1]]


def test_nothing_asked_is_nothing_found():
    assert judge([]) == []


def test_long_lists_are_not_cut():
    values = list(range(1000))
    assert judge([(between(None, -1), values)]) == [values]


def test_an_expectation_that_raises_is_an_error_and_not_a_pass():
    with pytest.raises(ExpectationError, match="not"):
        judge([(between(0, 1), ["not a number"])])


def test_a_value_that_was_not_judged_is_an_error():
    with pytest.raises(ExpectationError, match="1 of 2 values judged"):
        judge([(one_of(["a"]), ["a", None])])


def test_an_unknown_expectation_is_an_error():
    with pytest.raises(AttributeError):
        judge([(Expected("ExpectNothing", {}), [1])])


def test_nothing_is_printed():
    code = (
        "from checks.expectations import judge; from checks.definition import between, matches;"
        "judge([(between(0, 1), [0, 2])] * 40); judge([(matches('(a)(b)'), ['x'])])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_catalogue_and_the_worker_do_not_import_great_expectations():
    code = (
        "import sys; from checks.catalogue import all_checks; import checks.worker, checks.run;"
        "assert len(all_checks()) > 40; print('great_expectations' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
