"""Every month is written as a month."""

from checks.definition import Check
from checks.format.written_as import written_as

CHECK = Check(
    id="months",
    family="format",
    promise="Every month is written as a month.",
    why_it_matters="A forecast belongs to a month; without it there is nothing to compare.",
    severity="refuse",
    message="{column} must be a month such as 2011-09; {where}.",
    remedy="Write {column} as year and month, such as 2011-09.",
    version=1,
    subjects=written_as("month"),
)
