"""The one place that calls Great Expectations: judge values, say which do not meet expectations."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Expected

_POSITION = "position"


class ExpectationError(Exception):
    """Great Expectations could not judge the values: a bug of ours, never a fault of the file."""


@cache
def _batch_definition() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("checks").add_dataframe_asset("values")
    return asset.add_batch_definition_whole_dataframe("values")


def judge(questions: Sequence[tuple[Expected, Sequence[Any]]]) -> list[list[int]]:
    """The positions of the values that do not meet the expectation asked of them.

    One column of one frame, and one expectation of one suite, for each question; columns are
    padded to equal length with None, which is never judged. ExpectationError if an expectation
    raised, or judged fewer values than it was asked about.
    """
    questions_by_column = {f"q{index}": question for index, question in enumerate(questions)}
    if not questions_by_column:
        return []
    height = max(len(values) for _, values in questions)
    frame = pd.DataFrame(
        {
            column: pd.Series([*values, *[None] * (height - len(values))], dtype=object)
            for column, (_, values) in questions_by_column.items()
        }
    )
    frame[_POSITION] = range(height)
    suite = gx.ExpectationSuite(
        name="checks",
        expectations=[
            getattr(gxe, expected.name)(column=column, **expected.kwargs)
            for column, (expected, _) in questions_by_column.items()
        ],
    )
    batch = _batch_definition().get_batch(batch_parameters={"dataframe": frame})
    validation = batch.validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [_POSITION],
            "include_unexpected_rows": False,
        },
    )
    failing = {
        result.expectation_config.kwargs["column"]: _failing(
            result, len(questions_by_column[result.expectation_config.kwargs["column"]][1])
        )
        for result in validation.results
    }
    return [failing[column] for column in questions_by_column]


def _failing(result: Any, asked_count: int) -> list[int]:
    """The failing positions of one result, once it is certain that every value was judged."""
    found = result.result
    name = result.expectation_config.type
    if "unexpected_count" not in found:
        raise ExpectationError(f"{name}: {result.exception_info}")
    judged_count = found["element_count"] - found["missing_count"]
    positions = [int(entry[_POSITION]) for entry in found.get("unexpected_index_list") or ()]
    if judged_count != asked_count or len(positions) != found["unexpected_count"]:
        raise ExpectationError(
            f"{name}: {judged_count} of {asked_count} values judged, "
            f"{len(positions)} of {found['unexpected_count']} failing ones named"
        )
    return sorted(positions)
