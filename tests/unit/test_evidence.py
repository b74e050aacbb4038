"""The exact statistics, against published numbers and against scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from metrics.evidence.allocation import binomial_tail
from metrics.evidence.counts import count_interval, highest_rate_without_any, zero_probability
from metrics.evidence.e_process import LARGEST, e_value, log_e_value, log_e_value_given_intake
from metrics.evidence.multiplicity import adjusted_e_values, adjusted_probabilities
from metrics.evidence.overdispersion import Clumping

counts = st.integers(0, 5000)
spreads = st.sampled_from([1.1, 1.5, 2.0, 5.0])
THETAS = [step / 20 for step in range(1, 20)]


# Counts


def test_the_chance_of_a_zero_falls_below_five_percent_at_three() -> None:
    assert zero_probability([2.99, 3.0])[0] > 0.05 > zero_probability([2.99, 3.0])[1]


def test_in_clumps_of_twice_the_mean_it_falls_below_five_percent_at_4_33() -> None:
    assert zero_probability([4.32, 4.33], 2.0)[0] > 0.05 > zero_probability([4.32, 4.33], 2.0)[1]


@given(st.floats(1e-6, 100), spreads)
def test_the_chance_of_a_zero_is_that_of_the_negative_binomial(mean: float, spread: float) -> None:
    wanted = stats.nbinom.pmf(0, mean / (spread - 1), 1 / spread)
    assert zero_probability(mean, spread) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(
    ("observed", "lower", "upper"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (20, 12.22, 30.89)]
)
def test_the_interval_has_the_published_bounds(observed: int, lower: float, upper: float) -> None:
    low, high = count_interval(observed, 0.95)
    assert low == pytest.approx(lower, abs=5e-3)
    assert high == pytest.approx(upper, abs=5e-3)


@given(counts, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_the_interval_is_that_of_the_chi_squared_quantiles(observed: int, level: float) -> None:
    low, high = count_interval([observed], level)
    tail = (1 - level) / 2
    wanted = stats.chi2.ppf(tail, 2 * observed) / 2 if observed else 0
    assert low[0] == pytest.approx(wanted, rel=1e-9)
    assert high[0] == pytest.approx(stats.chi2.ppf(1 - tail, 2 * observed + 2) / 2, rel=1e-9)


@given(counts, spreads)
def test_in_clumps_the_bounds_are_the_means_whose_tails_are_just_met(
    observed: int, spread: float
) -> None:
    low, high = (float(end) for end in count_interval(observed, 0.95, spread))
    at_most = stats.nbinom.cdf(observed, high / (spread - 1), 1 / spread)
    assert at_most == pytest.approx(0.025, rel=1e-6)
    if observed:
        at_least = stats.nbinom.sf(observed - 1, low / (spread - 1), 1 / spread)
        assert at_least == pytest.approx(0.025, rel=1e-6)
    else:
        assert low == 0


def test_as_clumps_vanish_the_bounds_become_the_poisson_ones() -> None:
    observed = np.arange(0, 200)
    for nearly, exactly in zip(
        count_interval(observed, 0.95, 1 + 1e-6), count_interval(observed, 0.95), strict=True
    ):
        assert nearly == pytest.approx(exactly, rel=1e-4)


def test_the_interval_takes_any_shape_and_mixed_clumping() -> None:
    low, high = count_interval([[0, 20], [20, 3]], 0.95, [[1, 1], [2, 1]])
    assert low.shape == high.shape == (2, 2)
    assert low[0, 1] > low[1, 0]
    assert high[0, 1] < high[1, 0]


def test_the_rule_of_three() -> None:
    assert highest_rate_without_any([6, 60], 0.95) == pytest.approx([0.499, 0.0499], abs=1e-3)


# E-values


def test_a_run_of_zeros_reaches_twenty_at_4_6_expected() -> None:
    """By the grid of the data standard; with the tolerance of 20 % at 5.75."""
    short, reached = e_value(log_e_value([0, 0], [4.60, 4.61], 0.0, "shortfall"))
    assert short < 20 <= reached
    short, reached = e_value(log_e_value([0, 0], [5.75, 5.76], 0.2, "shortfall"))
    assert short < 20 <= reached


@given(st.integers(0, 60), st.floats(0.1, 60), st.sampled_from([0.0, 0.2]))
def test_the_e_value_is_the_mean_of_the_likelihood_ratios(
    observed: int, expected: float, tolerance: float
) -> None:
    low, high = (1 - tolerance) * expected, (1 + tolerance) * expected
    shortfall = np.mean([t**observed * np.exp((1 - t) * low) for t in THETAS])
    excess = np.mean([t**-observed * np.exp((1 - 1 / t) * high) for t in THETAS])
    for side, wanted in (("shortfall", shortfall), ("excess", excess)):
        found = e_value(log_e_value(observed, expected, tolerance, side))  # type: ignore[arg-type]
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@given(st.integers(0, 60), st.floats(0.5, 60), spreads, st.sampled_from(["shortfall", "excess"]))
def test_in_clumps_it_is_the_mean_of_the_negative_binomial_likelihood_ratios(
    observed: int, expected: float, spread: float, side: str
) -> None:
    size = expected / (spread - 1)
    law = stats.nbinom.pmf(observed, size, 1 / spread)
    ratios = []
    for theta in THETAS if side == "shortfall" else [1 / t for t in THETAS]:
        # The same number of clumps' shape, tilted so that the mean is theta times as large.
        base = 1 + theta * (spread - 1)
        ratios.append(stats.nbinom.pmf(observed, size, 1 / base) / law)
    found = e_value(log_e_value(observed, expected, 0.0, side, spread))  # type: ignore[arg-type]
    assert found == pytest.approx(min(np.mean(ratios), LARGEST), rel=1e-6)


@pytest.mark.parametrize("side", ["shortfall", "excess"])
@pytest.mark.parametrize("spread", [1.0, 2.0])
def test_on_the_edge_of_the_band_an_e_value_is_one_on_average(side: str, spread: float) -> None:
    """The property that makes repeated looks safe, summed over every count there is."""
    tolerance, expected = 0.2, 12.0
    mean = expected * (0.8 if side == "shortfall" else 1.2)
    observed = np.arange(0, 4000)
    law = (
        stats.poisson.logpmf(observed, mean)
        if spread == 1
        else stats.nbinom.logpmf(observed, mean / (spread - 1), 1 / spread)
    )
    logs = log_e_value(observed, expected, tolerance, side, spread)  # type: ignore[arg-type]
    assert np.exp(logs + law).sum() == pytest.approx(1, rel=1e-6)


def test_evidence_is_never_too_large_to_write() -> None:
    assert e_value(1e6) == LARGEST
    assert e_value(-1e6) == 0


@given(st.integers(1, 200), st.floats(0.01, 0.99), st.sampled_from(["shortfall", "excess"]))
def test_given_the_intake_an_e_value_is_one_on_average_at_the_promised_share(
    intake: int, share: float, side: str
) -> None:
    observed = np.arange(0, intake + 1)
    law = stats.binom.logpmf(observed, intake, share)
    logs = log_e_value_given_intake(observed, intake, share, side)  # type: ignore[arg-type]
    assert np.exp(logs + law).sum() == pytest.approx(1, rel=1e-6)


def test_given_the_intake_twice_a_small_share_is_strong_evidence() -> None:
    """80 of 2,000 at 2 %: the mean over the thetas of (1/t)^80 ((1 - s/t) / (1 - s))^1920."""
    share = 0.02
    ratios = [t**-80 * ((1 - share / t) / (1 - share)) ** 1920 for t in THETAS if share / t < 1]
    found = e_value(log_e_value_given_intake(80, 2000, share, "excess"))
    assert found == pytest.approx(np.mean(ratios), rel=1e-9)
    assert found > 1e5
    assert e_value(log_e_value_given_intake(9, 10, 0.99, "excess")) == 1  # no larger share is left


def test_given_the_intake_a_share_of_all_or_none_is_all_or_nothing() -> None:
    short = e_value(log_e_value_given_intake([5, 10, 3], [10, 10, 10], [1, 1, 0], "shortfall"))
    assert short == pytest.approx([LARGEST, 1, 1])
    many = e_value(log_e_value_given_intake([0, 1, 3], [10, 10, 10], [0, 0, 1], "excess"))
    assert many == pytest.approx([1, LARGEST, 1])


def test_clients_in_clumps_of_two_count_half() -> None:
    whole = log_e_value_given_intake(4, 100, 0.1, "shortfall", 2.0)
    half = log_e_value_given_intake(2, 50, 0.1, "shortfall")
    assert whole == pytest.approx(half)


# Allocation


@given(st.integers(0, 300), st.integers(0, 200), st.floats(0.0, 1.0))
def test_the_binomial_tail_is_that_of_scipy(observed: int, trials: int, share: float) -> None:
    few = binomial_tail(observed, trials, share, "shortfall")
    many = binomial_tail(observed, trials, share, "excess")
    assert few == pytest.approx(stats.binom.cdf(observed, trials, share), abs=1e-12)
    assert many == pytest.approx(stats.binom.sf(observed - 1, trials, share), abs=1e-12)


def test_in_clumps_of_two_the_tail_is_that_of_half_the_clients() -> None:
    for side in ("shortfall", "excess"):
        clumped = binomial_tail([4, 20], 100, 0.1, side, 2.0)  # type: ignore[arg-type]
        halved = binomial_tail([2, 10], 50, 0.1, side)  # type: ignore[arg-type]
        assert clumped == pytest.approx(halved)


# Many at once


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_adjusted_probabilities_are_those_of_benjamini_and_hochberg(values: list[float]) -> None:
    wanted = stats.false_discovery_control(values, method="bh")
    assert adjusted_probabilities(values) == pytest.approx(wanted, abs=1e-12)


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=40), st.sampled_from([0.05, 0.2]))
def test_adjusted_e_values_name_those_that_e_bh_names(values: list[float], level: float) -> None:
    """e-BH: the largest k such that the k-th largest e-value is at least m / (level k)."""
    ordered = sorted(values, reverse=True)
    fit = [k for k, e in enumerate(ordered, 1) if e * k * level >= len(values)]
    named = sum(adjusted_e_values(values) * level >= 1)
    ties = sum(e >= ordered[max(fit) - 1] for e in ordered) if fit else 0
    assert named == ties


# Clumping


def test_clumping_is_the_squared_differences_over_the_sums() -> None:
    assert Clumping(40, 300, 150).estimate() == 2.0
    assert Clumping(40, 234, 150).estimate() == 1.6
    assert Clumping(40, 90, 150).estimate() == 1.0  # never less than one by one
    assert Clumping().estimate() == 1.0
    assert Clumping(1, 2, 3) + Clumping(4, 5, 6) == Clumping(5, 7, 9)


@pytest.mark.parametrize("spread", [1.0, 2.0, 4.0])
def test_clumping_is_found_again_in_simulated_months(spread: float) -> None:
    chance = np.random.default_rng(2012)
    mean = 6.0
    months = (
        chance.poisson(mean, (4000, 2))
        if spread == 1
        else chance.negative_binomial(mean / (spread - 1), 1 / spread, (4000, 2))
    )
    x, y = months.T
    found = Clumping(len(months), int(((x - y) ** 2).sum()), int((x + y).sum())).estimate()
    assert found == pytest.approx(spread, abs=0.2)
