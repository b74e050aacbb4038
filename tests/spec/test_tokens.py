"""Tokens for programs: shown once, for one organisation, with stated permissions, and an end."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from dashboard.commands.tokens import tokens as tokens_group
from dashboard.terminal import Fairtier
from data import audit
from data.database import API_TOKENS, AUDIT, Database
from data.errors import BadOption, NotAllowed, NotOnRecord, SignInRefused
from data.tokens import PERMISSIONS, ApiToken, end_token, make, permitted, tokens_of

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2012, 3, 31, 12, tzinfo=dt.UTC)
OPERATOR = {"actor": "operator", "actor_organisation_id": None}


def made(database: Database, **options) -> tuple[ApiToken, str]:
    given = {
        "organisation_id": "GB-COH-1",
        "role": "member",
        "name": "Case system",
        "permissions": {"submit", "read"},
        "now": NOW,
    }
    return make(database, **(given | options), **OPERATOR)


def actions(database: Database) -> list[str]:
    with database.reading() as connection:
        assert audit.faults(connection)[0] == []
        return [event.action for event in audit.events(connection)]


def test_a_token_does_what_it_was_made_for_and_nothing_else(database):
    token, secret = made(database, permissions=["submit"])
    assert secret.startswith("ft_")
    assert permitted(database, secret, "submit", now=NOW) == token
    assert (token.organisation_id, token.role, token.name) == ("GB-COH-1", "member", "Case system")
    assert (token.permissions, token.created_by) == (frozenset({"submit"}), "operator")
    with pytest.raises(NotAllowed, match="may not read its own returns"):
        permitted(database, secret, "read", now=NOW)


def test_the_secret_of_a_token_is_not_stored(database):
    secret = made(database)[1]
    with database.reading() as connection:
        stored = [connection.execute(sa.select(table)).all() for table in (API_TOKENS, AUDIT)]
    assert secret not in repr(stored)
    assert secret.removeprefix("ft_") not in repr(stored)


def test_a_forged_token_is_refused(database):
    token, secret = made(database)
    for forged in ("", "ft_", token.token_id, secret[:-1], secret.upper(), secret[3:], "\ud800"):
        with pytest.raises(SignInRefused, match="not known"):
            permitted(database, forged, "read", now=NOW)


def test_a_token_ends_on_its_day(database):
    secret = made(database, days=30)[1]
    last = NOW + dt.timedelta(days=30)
    assert permitted(database, secret, "read", now=last - dt.timedelta(seconds=1))
    with pytest.raises(SignInRefused, match="past its end"):
        permitted(database, secret, "read", now=last)


def test_an_ended_token_is_dead_at_once(database):
    token, secret = made(database)
    for _time in range(2):  # ending it twice changes nothing
        assert end_token(database, token.token_id, **OPERATOR).ended_at is not None
    with pytest.raises(SignInRefused, match="was ended"):
        permitted(database, secret, "read", now=NOW)
    assert actions(database) == ["token.made", "token.ended"]


def test_the_token_of_another_organisation_cannot_be_ended(database):
    token, secret = made(database)
    for token_id in (token.token_id, "no such token"):
        with pytest.raises(NotOnRecord, match="There is no token"):
            end_token(database, token_id, organisation_id="GB-COH-2", **OPERATOR)
    assert permitted(database, secret, "read", now=NOW)
    end_token(database, token.token_id, organisation_id="GB-COH-1", **OPERATOR)


def test_the_list_says_when_a_token_was_last_used(database):
    secret = made(database)[1]
    seconds = dt.timedelta(seconds=1)
    for after, used_after in ((5, 5), (20, 5), (64, 5), (65, 65)):
        permitted(database, secret, "read", now=NOW + after * seconds)
        assert tokens_of(database, "GB-COH-1")[0].used_at == NOW + used_after * seconds
    assert tokens_of(database, "GB-COH-2") == ()


def test_all_tokens_are_listed_the_newest_first(database):
    made(database, name="older")
    made(database, name="newer", organisation_id="GB-COH-2", now=NOW + dt.timedelta(days=1))
    assert [token.name for token in tokens_of(database)] == ["newer", "older"]


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"permissions": []}, "Permissions are submit and read; given: none"),
        ({"permissions": ["submit", "delete"]}, 'given: "delete"'),
        ({"role": "operator"}, "Choose one of: network, member"),
        ({"days": 0}, "1 to 730 days"),
        ({"days": 731}, "1 to 730 days"),
        ({"name": " "}, "Give the name of the program"),
        ({"name": "x" * 201}, "Give the name of the program"),
        ({"organisation_id": "GB\0"}, "Give the organisation"),
    ],
)
def test_a_token_without_sense_is_refused(database, options, remedy):
    with pytest.raises(BadOption, match=remedy):
        made(database, **options)
    assert tokens_of(database) == ()


def test_the_permissions_are_these():
    assert set(PERMISSIONS) == {"submit", "read"}


def test_the_commands_make_list_and_end_tokens(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("FAIRTIER_DATABASE", raising=False)
    group = Fairtier(name="fairtier", commands={"tokens": tokens_group})

    def run(*line: str, exit_code: int = 0) -> str:
        result = CliRunner().invoke(group, ["tokens", *line, "--store", str(tmp_path)])
        assert result.exit_code == exit_code, result.output
        return result.output

    secret = run("add", "--org", "GB-COH-1", "--name", "Case system", "--may", "read").split()[-1]
    network = run("add", "--org", "GB-COH-9", "--name", "Network's", "--network").split()[-1]
    database = Database(tmp_path)
    token = permitted(database, secret, "read")
    assert permitted(database, network, "submit").role == "network"
    made(database, name="old")
    assert token.token_id in run("list")
    assert "never" in run("list", "--org", "GB-COH-1")
    assert "does not work any more" in run("end", token.token_id)
    states = {row["name"]: row["state"] for row in json.loads(run("list", "--json"))}
    assert states == {"Case system": "ended", "Network's": "works", "old": "past its end"}
    assert secret not in run("list", "--json")
    assert "There is no token" in run("end", "nothing", exit_code=2)
    refused = run("add", "--org", "O", "--name", "N", "--may", "delete", exit_code=2)
    assert "Permissions are submit and read" in refused
    database.close()
