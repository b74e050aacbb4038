"""What may leave a scope: small counts are hidden, terms need many sources, nothing gives away."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadOption
from metrics.disclosure import (
    REASONS,
    Contribution,
    Disclosed,
    Mean,
    PastTotal,
    Total,
    disclosed_counts,
    disclosed_figure,
    disclosed_mean,
    policy_of,
    rounded_count,
    too_few_or_too_large,
)
from metrics.rules import rules_as_of

RULES = rules_as_of(dt.date(2026, 1, 1))
POLICY = policy_of(RULES)
HIDDEN = Disclosed(None, "few_people")


def cell(who: str, month: int = 1) -> tuple[str, str, str]:
    return "C", who, f"2012-{month:02d}"


def alike(count: int, value: float = 0.15) -> list[Contribution]:
    return [Contribution("P", f"S{number}", value) for number in range(count)]


# Counts of clients


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (8, 10), (11, 10), (12, 10), (13, 15)])
def test_counts_are_shown_to_the_nearest_five_and_nobody_is_shown_as_nobody(count, shown):
    assert disclosed_counts({cell("S"): count}, (), POLICY)[cell("S")] == Disclosed(shown)


@pytest.mark.parametrize("count", range(1, 8))
def test_one_to_seven_clients_are_hidden(count):
    assert disclosed_counts({cell("S"): count}, (), POLICY)[cell("S")] == HIDDEN


def test_no_outcome_among_few_clients_is_hidden_and_so_is_its_total():
    cells = {cell("S"): 0, cell("T"): 0}
    whole = Total(("C", "", "2012-01"), frozenset(cells), 1)
    found = disclosed_counts(cells, [whole], POLICY, few_behind=frozenset({cell("S")}))
    assert found[cell("S")] == HIDDEN
    assert found[cell("T")] == Disclosed(0)
    assert found[whole.key] == HIDDEN


def test_a_total_that_would_give_a_small_count_away_is_hidden():
    """11 + 7 = 18 is shown as 20, that is 18 to 22: with 11 known, only 7 is left of 1 to 7."""
    cells = {cell("S"): 11, cell("T"): 7}
    whole = Total(("C", "", "2012-01"), frozenset(cells), 1)
    assert disclosed_counts(cells, [whole], POLICY)[whole.key] == HIDDEN


def test_a_total_that_leaves_another_count_possible_is_shown():
    cells = {cell("S"): 11, cell("T"): 4}
    whole = Total(("C", "", "2012-01"), frozenset(cells), 1)
    assert disclosed_counts(cells, [whole], POLICY)[whole.key] == Disclosed(15)


def test_of_two_totals_in_the_way_the_less_telling_is_hidden():
    """Of 6 clients one total (17) allows one fewer, the other (13) one more."""
    cells = {cell("S"): 6, cell("T"): 11, cell("S", 2): 7}
    first = Total(("C", "", "2012-01"), frozenset({cell("S"), cell("T")}), 2)
    second = Total(("C", "S", "2012-Q1"), frozenset({cell("S"), cell("S", 2)}), 1)
    found = disclosed_counts(cells, [first, second], POLICY)
    assert [found[first.key], found[second.key]] == [Disclosed(15), HIDDEN]


def test_totals_that_are_hidden_already_stand_in_nobodys_way():
    cells = {cell("S"): 1, cell("T"): 2}
    whole = Total(("C", "", "2012-01"), frozenset(cells), 1)
    assert disclosed_counts(cells, [whole], POLICY)[whole.key] == HIDDEN


def test_what_an_earlier_release_showed_counts_as_long_as_the_count_is_the_same():
    """Before, 4 + 14 = 18 was shown as 20; now 4 + 13 = 17 would be 15: no fewer, and no more."""
    now = {cell("S"): 4, cell("T"): 13}
    whole = Total(("C", "", "2012-01"), frozenset(now), 1)
    before = PastTotal({cell("S"): 4, cell("T"): 14}, 5)
    assert before.count == 18
    assert disclosed_counts(now, [whole], POLICY)[whole.key] == Disclosed(15)
    assert disclosed_counts(now, [whole], POLICY, [before])[whole.key] == HIDDEN
    other = PastTotal({cell("S"): 3, cell("T"): 15}, 5)
    assert disclosed_counts(now, [whole], POLICY, [other])[whole.key] == Disclosed(15)


def test_where_earlier_releases_left_no_way_open_no_total_is_added():
    now = {cell("S"): 4, cell("T"): 11}
    whole = Total(("C", "", "2012-01"), frozenset(now), 1)
    earlier = [PastTotal({cell("S"): 4, cell("T"): other}, 5) for other in (13, 14)]
    assert disclosed_counts(now, [whole], POLICY, earlier)[whole.key] == HIDDEN


@given(st.integers(-500, 500), st.sampled_from([5, 10, 7]))
def test_rounding_moves_a_count_by_at_most_half_a_step(count, step):
    shown = rounded_count(count, step)
    assert shown % step == 0
    assert abs(2 * (shown - count)) <= step


@settings(max_examples=60)
@given(st.dictionaries(st.tuples(st.sampled_from("STUV"), st.sampled_from([1, 2, 3])),
                       st.integers(0, 20), min_size=1))  # fmt: skip
def test_every_hidden_count_has_a_double_that_leaves_everything_shown_as_it_is(drawn):
    cells = {cell(*key): count for key, count in drawn.items()}
    totals = [
        Total(("C", "", month), frozenset(key for key in cells if key[2] == month), 2)
        for month in {key[2] for key in cells}
    ]
    totals.append(Total(("C", "", "all"), frozenset(cells), 3))
    found = disclosed_counts(cells, totals, POLICY)
    for key, count in cells.items():
        if found[key].hidden:
            others = [n for n in (count - 1, count + 1) if 1 <= n <= 7]
            assert any(
                all(
                    rounded_count(sum((cells | {key: other})[part] for part in total.parts), 5)
                    == found[total.key].value
                    for total in totals
                    if key in total.parts and found[total.key].hidden is None
                )
                for other in others
            )


# Terms and money


def test_four_sources_are_too_few_and_five_are_enough():
    assert too_few_or_too_large(alike(4), POLICY) == "few_sources"
    assert too_few_or_too_large(alike(5), POLICY) is None


def test_a_subcontractor_with_several_agreements_is_one_source():
    twice = [*alike(4), Contribution("Q", "S0", 0.2)]
    assert too_few_or_too_large(twice, POLICY) == "few_sources"


def test_no_source_may_weigh_more_than_a_quarter():
    heavy = [*alike(5), Contribution("P", "S9", 0.1, 2.0)]
    assert too_few_or_too_large(heavy, POLICY) == "one_source"
    even = [*alike(6), Contribution("P", "S9", 0.1, 2.0)]
    assert too_few_or_too_large(even, POLICY) is None


def test_the_rules_of_two_largest_and_of_the_rest_bind_where_they_are_made_stricter():
    loose = replace(POLICY, largest_share=Fraction(1))
    two = [Contribution("P", f"S{n}", 0.1, weight) for n, weight in enumerate([5, 5, 1, 1, 1])]
    assert too_few_or_too_large(two, loose) == "one_source"
    looser = replace(loose, two_largest_share=Fraction(1))
    assert too_few_or_too_large(two, looser) is None
    rest = [Contribution("P", f"S{n}", 0.1, weight) for n, weight in enumerate([98, 50, 1, 1, 1])]
    assert too_few_or_too_large(rest, looser) == "one_source"


def test_a_mean_is_hidden_with_the_reason_and_never_as_nothing():
    mean = Mean(tuple(alike(4)), "share", Fraction(1, 20))
    assert disclosed_mean(mean, POLICY) == Disclosed(None, "few_sources")
    assert all(sentence.endswith(".") for sentence in REASONS.values())


def test_the_rounding_is_as_fine_as_the_sources_bear():
    """A source of weight w can be off by half a step divided by w: that must be a tenth of it."""
    steps = {
        count: disclosed_figure(alike(count), "share", POLICY)[0].step for count in (5, 10, 30)
    }
    assert steps == {5: Fraction(1, 20), 10: Fraction(1, 50), 30: Fraction(1, 100)}
    days = disclosed_figure(alike(5, 40.0), "days", POLICY)[0].step
    assert days == 5


def test_the_mean_is_weighted_and_rounded():
    found = [Contribution("P", f"S{n}", 0.1 + 0.02 * n, 1.0 + (n == 4)) for n in range(7)]
    mean, disclosed = disclosed_figure(found, "share", POLICY)
    exact = (0.10 + 0.12 + 0.14 + 0.16 + 2 * 0.18 + 0.20 + 0.22) / 8
    assert mean.exact == pytest.approx(exact)
    assert (mean.source_count, mean.step) == (7, Fraction(1, 20))
    assert disclosed == Disclosed(pytest.approx(0.15))


def test_a_source_far_above_the_usual_is_hidden_where_rounding_cannot_protect_it():
    """Days are rounded to ten at most: 2,000 days cannot be hidden by that."""
    found = [*alike(9, 20.0), Contribution("P", "S9", 2000.0)]
    assert disclosed_figure(found, "days", POLICY)[1] == Disclosed(None, "given_away")


def test_a_figure_shown_before_makes_the_next_coarser_or_hides_it():
    """Six, then five of them: with equal rounding the sixth one's fee would stand between them."""
    six = [Contribution("P", f"S{n}", 0.10 + 0.03 * n) for n in range(6)]
    mean = Mean(tuple(six), "share", Fraction(1, 20))
    assert disclosed_mean(mean, POLICY).hidden is None
    fine = Mean(tuple(six[:5]), "share", Fraction(1, 100))
    assert disclosed_mean(fine, POLICY, [mean]) == Disclosed(None, "given_away")
    coarser, disclosed = disclosed_figure(six[:5], "share", POLICY, [mean])
    assert disclosed.hidden is None
    assert coarser.step >= Fraction(1, 20)


def test_terms_that_have_changed_are_another_secret():
    before = Mean(tuple(alike(5, 0.12)), "share", Fraction(1, 100))
    now = Mean(tuple(alike(5, 0.50)), "share", Fraction(1, 20))
    assert disclosed_mean(now, POLICY, [before]) == Disclosed(0.5)
    same = Mean(tuple(alike(5, 0.12)), "share", Fraction(1, 20))
    assert disclosed_mean(same, POLICY, [before]) == Disclosed(None, "given_away")


def test_one_price_for_all_client_groups_is_one_secret():
    """Each part alone weighs a tenth; whoever takes the parts to be alike looks for a fifth."""
    parts = [
        Contribution("P", f"S{n}", 0.9, part=part) for n in range(5) for part in ("young", "adult")
    ]
    shares = {
        len(key): secret.share
        for key, secret in Mean(tuple(parts), "share", Fraction(1, 20)).secrets().items()
    }
    assert shares == {2: pytest.approx(0.2), 3: pytest.approx(0.1)}


def test_the_rules_can_be_made_stricter_and_not_looser():
    assert policy_of(RULES.override({"disclosure_sources": "8"})).source_count == 8
    for rule_id, looser in (
        ("disclosure_sources", "4"),
        ("disclosure_clients", "5"),
        ("disclosure_largest_source", "0.5"),
        ("disclosure_months", "1"),
        ("disclosure_protection", "0.05"),
        ("disclosure_share_rounding", "0.001"),
    ):
        with pytest.raises(BadOption):
            RULES.override({rule_id: looser})


@settings(max_examples=80)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.5, 1.5)), min_size=5, max_size=12),
    st.data(),
)
def test_no_source_can_be_told_to_within_a_tenth_by_one_who_knows_all_others(drawn, data):
    """With all others known, the figure leaves the source an interval: wide enough either way."""
    found = [Contribution("P", f"S{n}", value, w) for n, (value, w) in enumerate(drawn)]
    mean, disclosed = disclosed_figure(found, "share", POLICY)
    if disclosed.value is None:
        return
    one = data.draw(st.sampled_from(found))
    whole = sum(c.weight for c in found)
    others = sum(c.value * c.weight for c in found if c is not one)
    half = float(mean.step) / 2
    low = ((disclosed.value - half) * whole - others) / one.weight
    high = ((disclosed.value + half) * whole - others) / one.weight
    assert low - 1e-9 <= one.value <= high + 1e-9
    reach = 0.1 * max(one.value, 1 - one.value) - 1e-9
    assert high - one.value >= reach or one.value - low >= reach
