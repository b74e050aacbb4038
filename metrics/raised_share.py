"""The share of what a flag assesses that it raises, and when that calls its rule into question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metrics.catalogue import flags
from metrics.what_if import raised_of
from metrics.wording import figure, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metrics.definition import Assessment
    from metrics.rules import Rule, Rules

LEAST_ASSESSED = 8  # of fewer, three raised would already be more than a quarter


@dataclass(frozen=True)
class RaisedShare:
    """How many of what a flag assesses it raises, where that is more than the rule has it."""

    flag: str
    raised_count: int
    assessed_count: int
    rule: Rule

    @property
    def sentence(self) -> str:
        """The share, and that either the rule or the data may be wrong."""
        raised = share(self.raised_count / self.assessed_count, self.rule.number)
        return (
            f"{self.flag} is raised for {figure(self.raised_count)} of "
            f"{figure(self.assessed_count)} ({raised}): the rule may not fit these data, or the "
            "data the rule."
        )


def raised_too_often(assessments: Sequence[Assessment], rules: Rules) -> tuple[RaisedShare, ...]:
    """The flags that raise more of what they assess than `share_of_raised`, in their order.

    What is not reported or not applicable is not assessed. A flag that assesses fewer than eight
    is never among them.
    """
    rule = rules["share_of_raised"]
    found = []
    for flag in flags():
        assessed, raised = raised_of(assessments, flag.id)
        if assessed >= LEAST_ASSESSED and raised > rule.value * assessed:
            found.append(RaisedShare(flag.id, raised, assessed, rule))
    return tuple(found)
