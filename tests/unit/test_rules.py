"""The dated register of rules."""

from __future__ import annotations

import dataclasses
import datetime as dt
from fractions import Fraction

import pytest

from data.errors import BadOption, UnknownRule
from metrics.catalogue import flags
from metrics.rules import read_register, register, rules_as_of

TODAY = dt.date(2012, 4, 15)
TWO_ENTRIES = """
[[rule]]
id = "fee"
title = "Fee"
value = "0.20"
unit = "share"
lowest = "0"
highest = "1"
from = 2018-01-01
status = "guidance"
source = "a guide"
confirmed = true
version = 2
note = ""

[[rule]]
id = "fee"
title = "Fee"
value = "0.15"
unit = "share"
lowest = "0"
highest = "1"
from = 2012-01-01
status = "recommendation"
source = "a report"
confirmed = false
version = 1
note = ""
"""


def test_the_register_holds_the_numbers_of_the_standard_exactly() -> None:
    standard = {
        "zero_referrals": Fraction(1, 20),
        "zero_referrals_months": 6,
        "management_fee": Fraction(3, 20),
        "volume_divergence": Fraction(1, 5),
        "volume_evidence": 20,
        "interval": Fraction(19, 20),
        "attribution": Fraction(1, 20),
    }
    rules = rules_as_of(TODAY)
    assert {rule_id: rules[rule_id].value for rule_id in standard} == standard


def test_every_rule_is_used_by_a_flag_and_every_rule_of_a_flag_is_there() -> None:
    """But the one that calls a flag into question, the time to reply, and those of disclosure."""
    used = {rule_id for flag in flags() for rule_id in flag.rules}
    assert used <= set(rules_as_of(TODAY))
    others = {one for one in rules_as_of(TODAY) if one.startswith("disclosure_")}
    assert len(others) == 9
    assert set(rules_as_of(TODAY)) - used == {"share_of_raised", "reply_days"} | others


def test_a_rule_may_be_estimated_from_the_data() -> None:
    rule = rules_as_of(TODAY)["overdispersion"]
    assert (rule.automatic, rule.shown, rule.value) == (True, "auto", 1)
    fixed = rules_as_of(TODAY).override({"overdispersion": "1.5"})["overdispersion"]
    assert (fixed.automatic, fixed.shown, fixed.overridden) == (False, 1.5, True)
    again = rules_as_of(TODAY).override({"overdispersion": " Auto "})["overdispersion"]
    assert (again.automatic, again.shown, again.overridden) == (True, "auto", False)
    with pytest.raises(BadOption, match="Write a number such as 1, or auto"):
        rules_as_of(TODAY).override({"overdispersion": "much"})
    with pytest.raises(BadOption, match=r'We read "auto"'):
        rules_as_of(TODAY).override({"interval": "auto"})


def test_every_entry_is_within_its_own_bounds_and_names_its_source() -> None:
    for rule in register():
        assert rule.lowest <= rule.value <= rule.highest
        assert rule.status in ("law", "guidance", "recommendation", "statistical choice")
        assert rule.source
    assert not rules_as_of(TODAY)["management_fee"].confirmed


def test_the_entry_in_force_on_the_day_is_used() -> None:
    entries = read_register(TWO_ENTRIES)
    assert rules_as_of(dt.date(2017, 12, 31), entries)["fee"].version == 1
    assert rules_as_of(dt.date(2018, 1, 1), entries)["fee"].version == 2


def test_before_its_first_day_the_first_entry_is_used() -> None:
    assert rules_as_of(dt.date(2000, 1, 1), read_register(TWO_ENTRIES))["fee"].version == 1


def test_the_standing_says_status_source_and_doubt() -> None:
    later, earlier = read_register(TWO_ENTRIES)
    assert later.standing == "guidance: a guide"
    assert earlier.standing == "a recommendation: a report; primary source not found"


@pytest.mark.parametrize("text", ["0.20", "20%", " 20 % ", "2e-1"])
def test_a_rule_can_be_overridden_and_is_marked(text: str) -> None:
    before = rules_as_of(TODAY)
    after = before.override({"management_fee": text})
    assert after["management_fee"].value == Fraction(1, 5)
    assert after["management_fee"].answer()["overridden"] is True
    assert after.answer()["attribution"]["overridden"] is False
    assert before["management_fee"].value == Fraction(3, 20)
    assert list(after) == list(before)
    assert len(after) == len({rule.id for rule in register()})


def test_an_unknown_rule_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(UnknownRule, match=r'no rule "managment_fee".* Did you mean management_fee'):
        rules_as_of(TODAY).override({"managment_fee": "0.2"})
    with pytest.raises(UnknownRule, match=r'no rule "xyz"\. The rules are zero_referrals, '):
        rules_as_of(TODAY).override({"xyz": "0.2"})
    with pytest.raises(KeyError):
        rules_as_of(TODAY)["xyz"]


@pytest.mark.parametrize("text", ["", "a lot", "nan", "inf", "1e999999", "0.1.2", "%"])
def test_a_value_that_is_no_number_is_an_error(text: str) -> None:
    with pytest.raises(
        BadOption, match=r"for the rule management_fee\. Write a number such as 0\.15"
    ):
        rules_as_of(TODAY).override({"management_fee": text})


@pytest.mark.parametrize(
    ("rule", "text", "says"),
    [
        ("management_fee", "15", "from 0 to 1"),
        ("management_fee", "-0.1", "from 0 to 1"),
        ("volume_divergence", "1", "from 0 to 0.99"),
        ("zero_referrals_months", "6.5", "a whole number of months"),
    ],
)
def test_a_value_out_of_range_is_an_error(rule: str, text: str, says: str) -> None:
    with pytest.raises(BadOption, match=says):
        rules_as_of(TODAY).override({rule: text})


def test_a_rule_as_json_has_whole_numbers_where_it_counts() -> None:
    answer = rules_as_of(TODAY).answer()
    assert answer["zero_referrals_months"]["value"] == 6
    assert isinstance(answer["zero_referrals_months"]["value"], int)
    assert answer["management_fee"] | {"source": "", "note": ""} == {
        "id": "management_fee",
        "title": "Highest management fee",
        "value": 0.15,
        "unit": "share of what the commissioner paid",
        "from": "2012-01-01",
        "status": "recommendation",
        "source": "",
        "confirmed": False,
        "note": "",
        "version": 1,
        "overridden": False,
    }


def test_a_rule_cannot_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        rules_as_of(TODAY)["management_fee"].value = Fraction(1)  # type: ignore[misc]
