"""Every yes-or-no cell says yes or no."""

from checks.definition import Check
from checks.format.written_as import written_as

CHECK = Check(
    id="yes_no",
    family="format",
    promise="Every yes-or-no cell says yes or no.",
    why_it_matters="Whether a subcontractor was named in a bid decides what may be said "
    "about its referrals.",
    severity="refuse",
    message="{column} must be yes or no; {where}.",
    remedy="Write yes or no in {column}.",
    version=1,
    subjects=written_as("yes_no"),
)
