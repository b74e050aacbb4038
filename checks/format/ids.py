"""Every identifier is one line of at most 200 characters that does not start like a formula."""

from checks.definition import Check
from checks.format.written_as import written_as

CHECK = Check(
    id="ids",
    family="format",
    promise="Every identifier is one line of at most 200 characters that does not start "
    "like a formula.",
    why_it_matters="Rows are put together by their identifiers.",
    severity="refuse",
    message="{column} must be an identifier on one line, of at most 200 characters and "
    "not starting with = + - or @; {where}.",
    remedy="Write the identifier as it stands in the register.",
    version=1,
    subjects=written_as("id", "client_ref"),
)
