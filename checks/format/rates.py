"""Every rate is a number or a percentage."""

from checks.definition import Check
from checks.format.written_as import written_as

CHECK = Check(
    id="rates",
    family="format",
    promise="Every rate is a number or a percentage.",
    why_it_matters="Shares decide what was promised.",
    severity="refuse",
    message="{column} must be a rate such as 0.15 or 15%; {where}.",
    remedy="Write {column} as a number from 0 to 1 or as a percentage, such as 0.15 or 15%.",
    version=1,
    subjects=written_as("rate"),
)
