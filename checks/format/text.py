"""Every text is at most 1,000 characters that can be printed."""

from checks.definition import Check
from checks.format.written_as import written_as

CHECK = Check(
    id="text",
    family="format",
    promise="Every text is at most 1,000 characters that can be printed.",
    why_it_matters="Hidden characters make two equal names look different to a computer.",
    severity="refuse",
    message="{column} must be text of at most 1,000 printable characters; {where}.",
    remedy="Type {column} anew, without hidden characters.",
    version=1,
    subjects=written_as("text"),
)
