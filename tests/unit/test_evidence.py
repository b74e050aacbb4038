"""The exact statistics, against published numbers and against scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from metrics.evidence import (
    LARGEST,
    binomial_tail,
    e_value,
    log_e_value,
    poisson_interval,
    zero_probability,
)

counts = st.integers(0, 5000)


def test_the_chance_of_a_zero_falls_below_five_percent_at_three() -> None:
    assert zero_probability([2.99, 3.0])[0] > 0.05 > zero_probability([2.99, 3.0])[1]


@pytest.mark.parametrize(
    ("observed", "lower", "upper"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (20, 12.22, 30.89)]
)
def test_the_interval_has_the_published_bounds(observed: int, lower: float, upper: float) -> None:
    low, high = poisson_interval(observed, 0.95)
    assert low == pytest.approx(lower, abs=5e-3)
    assert high == pytest.approx(upper, abs=5e-3)


@given(counts, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_the_interval_is_that_of_the_chi_squared_quantiles(observed: int, level: float) -> None:
    low, high = poisson_interval([observed], level)
    tail = (1 - level) / 2
    wanted = stats.chi2.ppf(tail, 2 * observed) / 2 if observed else 0
    assert low[0] == pytest.approx(wanted, rel=1e-9)
    assert high[0] == pytest.approx(stats.chi2.ppf(1 - tail, 2 * observed + 2) / 2, rel=1e-9)


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
    thetas = [step / 20 for step in range(1, 20)]
    low, high = (1 - tolerance) * expected, (1 + tolerance) * expected
    shortfall = np.mean([t**observed * np.exp((1 - t) * low) for t in thetas])
    excess = np.mean([t**-observed * np.exp((1 - 1 / t) * high) for t in thetas])
    for side, wanted in (("shortfall", shortfall), ("excess", excess)):
        got = e_value(log_e_value(observed, expected, tolerance, side))  # type: ignore[arg-type]
        assert got == pytest.approx(wanted, rel=1e-9)


def test_inside_the_tolerance_the_e_value_is_one_on_average() -> None:
    """What Ville's inequality needs: at the edge of the band its mean is exactly 1."""
    observed = np.arange(400)
    for side, rate in (("shortfall", 0.8), ("excess", 1.2)):
        values = e_value(log_e_value(observed, np.full(400, 20.0), 0.2, side))  # type: ignore[arg-type]
        wide = stats.poisson.pmf(observed, rate * 20.0)
        if side == "shortfall":
            assert np.sum(values * wide) == pytest.approx(1, rel=1e-9)
        else:
            assert np.sum(values * wide) <= 1 + 1e-9


def test_evidence_beyond_all_bounds_is_capped() -> None:
    assert e_value(log_e_value(0, 1e6, 0.2, "shortfall")) == pytest.approx(LARGEST)


@given(st.integers(0, 300), st.integers(0, 200), st.floats(0, 1))
def test_the_binomial_tails_are_those_of_scipy(observed: int, trials: int, share: float) -> None:
    few = binomial_tail(observed, trials, share, "shortfall")
    many = binomial_tail(observed, trials, share, "excess")
    assert few == pytest.approx(stats.binom.cdf(observed, trials, share), rel=1e-7, abs=1e-290)
    assert many == pytest.approx(stats.binom.sf(observed - 1, trials, share), rel=1e-7, abs=1e-290)


def test_a_share_of_everything_or_nothing_has_tails_too() -> None:
    assert binomial_tail([0, 0, 5], [5, 5, 5], [0.0, 1.0, 1.0], "shortfall").tolist() == [1, 0, 1]
    assert binomial_tail([0, 1, 5], [5, 5, 5], [0.0, 0.0, 1.0], "excess").tolist() == [1, 0, 1]


def test_no_numbers_give_no_numbers() -> None:
    assert log_e_value([], [], 0.2, "excess").shape == (0,)
    assert poisson_interval([], 0.95)[1].shape == (0,)
