"""Every date that is written as a day stands in the calendar."""

from checks.definition import Check
from checks.format.written_as import in_the_calendar

CHECK = Check(
    id="real_dates",
    family="format",
    promise="Every date that is written as a day stands in the calendar.",
    why_it_matters="A day that does not exist hides the one that was meant.",
    severity="refuse",
    message="{column} must be a day that exists, such as 2012-02-29; {where}.",
    remedy="Look up which day was meant, and write it as year, month and day, such as 2012-03-31.",
    version=1,
    subjects=in_the_calendar("date"),
)
