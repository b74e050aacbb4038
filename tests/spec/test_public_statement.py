"""What anybody is told of a published flag: what it says, and no figure of its parties."""

from __future__ import annotations

import re

import pytest

from metrics.catalogue import flags
from metrics.public_statement import public_statement


def answer(flag: str, value: float | None, threshold: float) -> dict[str, object]:
    """An answer as it is kept; its figures and its sentence must not be told."""
    return {"flag": flag, "value": value, "threshold": threshold, "sentence": "kept £731.19 of 9"}


@pytest.mark.parametrize("flag", [one.id for one in flags()])
def test_no_figure_but_the_threshold_is_told(flag: str):
    told = public_statement(answer(flag, 0.7319, 0.15))
    assert told.endswith(".")
    assert re.findall(r"\d+", told) in ([], ["15"])


def test_a_fee_is_said_to_be_above_the_rule():
    told = public_statement(answer("management_fee", 0.2418, 0.15))
    assert told == "The prime kept more than 15 % of what the commissioner paid for the " \
        "subcontractor's work."  # fmt: skip


def test_a_divergence_has_a_direction():
    assert "20 % fewer" in public_statement(answer("volume_divergence", -0.41, 0.20))
    assert "20 % more" in public_statement(answer("volume_divergence", 0.41, 0.20))


def test_an_answer_without_a_value_is_told_all_the_same():
    assert public_statement(answer("named_without_consent", None, 0.0))
