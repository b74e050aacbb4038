"""Passwords and random tokens: made, compared, and kept only as hashes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import secrets
import threading
import unicodedata
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from data.common_passwords import is_common
from data.errors import BadOption, SignInRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHORTEST_COUNT = 12
LONGEST_COUNT = 1000

_HASHER = PasswordHasher()
_AT_ONCE_COUNT = 2
_WAITING_COUNT = 8
_BUSY_SECONDS = 3
_computing = threading.BoundedSemaphore(_AT_ONCE_COUNT)
_places: Mapping[bool, threading.BoundedSemaphore] = {
    known: threading.BoundedSemaphore(_WAITING_COUNT) for known in (False, True)
}


def new_token() -> str:
    """A token of 256 random bits for a link, a cookie or a program."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def require_fit(password: str, email: str) -> None:
    """BadOption, with what to do, unless the password is fit to be chosen by that account."""
    count = len(_normal(password))
    if count < SHORTEST_COUNT:
        raise BadOption(
            f"This password has {count} characters. Choose one of at least {SHORTEST_COUNT}; "
            "a few unrelated words are easy to remember."
        )
    if count > LONGEST_COUNT:
        raise BadOption(
            f"This password has {count:,} characters. Choose one of at most {LONGEST_COUNT:,}."
        )
    folded = _normal(password).casefold()
    if len(set(folded)) == 1:
        raise BadOption(
            "This password is one character over and over. Choose a few unrelated words instead."
        )
    if is_common(folded):
        raise BadOption(
            "This password is one of those that are guessed first. Choose a few unrelated words "
            "instead."
        )
    local = email.rpartition("@")[0].casefold()
    if (local if len(local) > 2 else email.casefold()) in folded:
        raise BadOption(
            "This password contains your e-mail address. Choose a few unrelated words instead."
        )


def hashed(password: str) -> str:
    """The argon2id hash of a password; call it inside `turn`."""
    return _HASHER.hash(_bytes(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether a password is the stored one; without a stored one it is not, in the same time.

    Call it inside `turn`.
    """
    try:
        return _HASHER.verify(stored or _nobodys(), _bytes(password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether a stored hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


@contextlib.contextmanager
def turn(*, known: bool) -> Iterator[None]:
    """Wait for one's turn to have a password hashed; SignInRefused when the queue is full.

    Hashing takes 64 MiB and a processor's time on purpose, so few run at once. Who is known, by a
    link or by a browser that signed in before, queues apart from all others: a flood of strangers
    does not crowd them out.
    """
    _nobodys()  # made before the first comparison, whoever's it is: its time tells nothing
    places = _places[known]
    if not places.acquire(blocking=False):
        raise SignInRefused(
            "Many people are signing in at this moment. Try again in a few seconds.",
            wait_seconds=_BUSY_SECONDS,
        )
    try:
        with _computing:
            yield
    finally:
        places.release()


@functools.cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_bytes(32))


def _normal(password: str) -> str:
    # The same keys give composed letters on one system and letter plus accent on another.
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")
