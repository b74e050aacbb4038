"""The subcontractor's share at risk against the prime's own."""

from __future__ import annotations

from fractions import Fraction

from metrics.definition import Metric

METRIC = Metric(
    id="risk_transfer",
    title="Risk transfer",
    question="Does the subcontractor bear a larger share of the risk than the prime does?",
    why_it_matters='In the Work Programme risk was "passed down the supply chain" to charities '
    "without reserves.",
    numerator="Share of the subcontractor's income that depends on results.",
    denominator="Share of the prime's income for the same work that depends on results.",
    unit="times the prime's share",
    grain="agreement",
    direction="above 1 the subcontractor bears a larger share than the prime",
    exclusions=(
        "Agreements for which either share is not recorded.",
        "The ratio, where the prime's share is nothing: the two shares are compared all the same.",
    ),
    assumptions=(
        "Both shares are of the income for the same work, as the register of agreements has them.",
        "Compared as the decimal numbers in the register: exactly the rule is not above it.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=1,
)


def exact(share: float) -> Fraction:
    """The decimal number that a register's share was read from: 0.1 is 1/10."""
    return Fraction(str(share))


def ratio(at_risk_share: float, prime_at_risk_share: float) -> float | None:
    """How many times the prime's share the subcontractor's is; None if the prime's is nothing."""
    theirs = exact(prime_at_risk_share)
    return float(exact(at_risk_share) / theirs) if theirs else None


def is_above(at_risk_share: float, prime_at_risk_share: float, limit: Fraction) -> bool:
    """Whether the subcontractor's share is strictly above the limit times the prime's, exactly."""
    return exact(at_risk_share) > limit * exact(prime_at_risk_share)
