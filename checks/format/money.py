"""Every amount is in pounds with at most two decimals."""

from checks.definition import Check
from checks.format.written_as import written_as

CHECK = Check(
    id="money",
    family="format",
    promise="Every amount is in pounds with at most two decimals.",
    why_it_matters="Fees are worked out in whole pence; a guess at what was meant would "
    "be a guess at the fee.",
    severity="refuse",
    message="{column} must be an amount in pounds with at most two decimals, such as "
    "1200.00; {where}.",
    remedy="Write {column} as a number in pounds, without words and with at most two decimals.",
    version=1,
    subjects=written_as("money"),
)
