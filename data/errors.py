"""What can go wrong in a way that the person at the keyboard can mend.

UserError
├── UnusableFile      the file cannot be read as a table at all
├── UnusableOffer     an offer that was entered or uploaded cannot be reckoned with
├── UnknownTable      no such table in the data standard
├── UnknownRule       no such rule in the register
├── UnknownFlag       no such flag in the catalogue
├── NotOnRecord       no such contract, agreement or organisation was known on the day
├── BadOption         an option that does not parse or contradicts another
├── NotAllowed        the asker's scope does not reach that far
├── SignInRefused     a password, link, token or session that does not hold
├── StoreError        the store is not there, not writable, full or damaged
├── ReturnRefused     the checks refused the return; the findings say where
└── ReturnConflict    another return for the same months came in meanwhile

Any other exception is a bug: it is logged with an id and never shown as a traceback.
"""

from __future__ import annotations


class UserError(Exception):
    """A mistake or mishap told in one sentence, with the remedy; `exit_code` is the command's."""

    exit_code = 2


class UnusableFile(UserError):
    """The file cannot be read as a table: empty, encrypted, too large, damaged, not a table."""


class UnusableOffer(UserError):
    """An offer cannot be reckoned with; `mistakes` has one sentence for each thing to mend."""

    def __init__(self, *mistakes: str):
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class UnknownTable(UserError):
    """The data standard has no table of that name."""


class UnknownRule(UserError):
    """The register has no rule of that name."""


class UnknownFlag(UserError):
    """There is no flag of that name."""


class NotOnRecord(UserError):
    """No contract, agreement or organisation of that id was on record on the day asked about."""


class BadOption(UserError):
    """An option could not be understood, or contradicts another."""


class NotAllowed(UserError):
    """It is not the asker's to see or to do."""


class SignInRefused(UserError):
    """A password, link, token or session that does not hold, or not any more.

    `wait_seconds` is how long to wait before trying again, 0 for at once.
    """

    def __init__(self, message: str, wait_seconds: int = 0):
        super().__init__(message)
        self.wait_seconds = wait_seconds


class StoreError(UserError):
    """The store is missing, not writable, full or damaged."""


class ReturnRefused(UserError):
    """The checks refused the return; nothing was stored."""

    exit_code = 1


class ReturnConflict(UserError):
    """A return for the same months was recorded while this one was being checked."""

    exit_code = 1
