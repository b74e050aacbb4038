"""Every month that is written as a month stands in the calendar."""

from checks.definition import Check
from checks.format.written_as import in_the_calendar

CHECK = Check(
    id="real_months",
    family="format",
    promise="Every month that is written as a month stands in the calendar.",
    why_it_matters="A month that does not exist hides the one that was meant.",
    severity="refuse",
    message="{column} must be a month such as 2011-09, or the first day of one; {where}.",
    remedy="Write the month that was meant as year and month, such as 2011-09.",
    version=1,
    subjects=in_the_calendar("month"),
)
