"""Every date is written as a day."""

from checks.definition import Check
from checks.format.written_as import written_as

CHECK = Check(
    id="dates",
    family="format",
    promise="Every date is written as a day.",
    why_it_matters="A month that cannot be told leaves the row out of every count.",
    severity="refuse",
    message="{column} must be a day such as 2012-03-31 or 31/03/2012; {where}.",
    remedy="Write {column} as year, month and day, such as 2012-03-31.",
    version=1,
    subjects=written_as("date"),
)
