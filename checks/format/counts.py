"""Every count is a whole number."""

from checks.definition import Check
from checks.format.written_as import written_as

CHECK = Check(
    id="counts",
    family="format",
    promise="Every count is a whole number.",
    why_it_matters="Clients and days are counted in ones.",
    severity="refuse",
    message="{column} must be a whole number such as 40; {where}.",
    remedy="Write {column} as a whole number; where a count was withheld, leave the row out.",
    version=1,
    subjects=written_as("count"),
)
