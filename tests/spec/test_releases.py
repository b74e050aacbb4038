"""A release never changes, counts for the next, and shows nothing of what is confidential."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from data import audit, releases
from data.database import AUDIT, RELEASES
from data.errors import NotAllowed
from data.scope import OPERATOR, PUBLIC, Scope
from metrics.disclosure import Disclosed, policy_of
from metrics.facts import gather
from metrics.release import from_json, released, to_json, without
from metrics.rules import rules_as_of
from metrics.terms import known_by
from tests.spec.test_released_referrals import chain_of_two
from tests.spec.test_terms import TEN, chain_of

TODAY = dt.date(2012, 4, 15)
RULES = rules_as_of(TODAY)


def one_release(chain, past=(), confidential=frozenset()):
    facts = gather(chain.frames("duckdb"), TODAY, confidential=confidential)
    early = known_by(TODAY, policy_of(RULES))
    terms = gather(chain.frames("duckdb"), early, confidential=confidential)
    return released(facts, terms, RULES, past)


def two_primes():
    chain = chain_of(6, 6, agreed_management_fee_rate=0.12, named_in_bid=True)
    for number in (1, 2):
        for place in range(6):
            for month in TEN:
                chain.referral(
                    f"P{number}", month, f"S{number}{place}", 4, contract_id=f"C{number}"
                )
    return chain


def test_what_is_kept_is_what_was_released():
    made = one_release(two_primes())
    assert from_json(to_json(made)) == made
    assert made.terms_as_of == "2012-01-15"
    assert made.rules["disclosure_sources"] == "5"


def test_a_release_repeated_says_the_same():
    chain = two_primes()
    first = one_release(chain)
    assert one_release(chain, [first]) == first


def test_what_was_shown_before_limits_what_is_shown_next():
    """22 was shown as 20, so none of its 4s could be 5; 23 would be 25, so none could be 3."""
    chain = two_primes()
    chain.referrals[0]["referral_count"] = 2
    first = one_release(chain)
    chain.referrals[0]["referral_count"] = 3
    whole = ("C1", "", "2011-06")
    shown = [
        {(c.contract_id, c.subcontractor_id, c.period): c.disclosed for c in one.referrals}[whole]
        for one in (first, one_release(chain), one_release(chain, [first]))
    ]
    assert shown == [Disclosed(20), Disclosed(25), Disclosed(None, "few_people")]


def test_the_registers_name_only_who_takes_part():
    made = one_release(two_primes(), confidential=frozenset({"C2"}))
    assert made.contract_ids == {"C1"}
    assert {row[0] for row in made.registers.agreements} == {"C1"}
    assert made.registers.names() == {"P1": "Sample Prime 1"}
    assert made.registers.agreements[0][3] == "yes"
    assert made.registers.contracts[0][-1] is None
    assert made.registers.contracts[0][-2] == "2011-06-01"


def test_what_becomes_confidential_later_is_left_out_with_its_primes_terms():
    made = one_release(two_primes())
    left = without(made, frozenset({"C2", "C9"}), {"C1": "P1", "C2": "P2"})
    assert left.contract_ids == {"C1"}
    assert {one.contract_id for one in left.referrals} == {"C1"}
    assert {one for figure in left.comparison.figures for one in figure.prime_ids} == {"P1"}
    assert without(made, frozenset({"C9"}), {}) is made
    assert without(made, frozenset({"C2"}), {}).contract_ids == {"C1"}


def test_counts_in_house_are_kept_too():
    made = one_release(chain_of_two())
    assert from_json(to_json(made)) == made


# Kept in the database


def keep(database, number=1, content="{}", scope=OPERATOR):
    return releases.keep(
        database, scope, number=number, as_of=TODAY, content=content, actor="operator"
    )


def test_releases_are_numbered_and_the_last_is_found(database):
    assert releases.latest(database) is None
    first, second = keep(database), keep(database, 2, '{"a":1}')
    assert releases.releases(database) == (first, second)
    assert releases.latest(database) == second
    assert second.made_at.tzinfo is not None


def test_a_release_stands_in_the_audit(database):
    made = keep(database)
    with database.reading() as connection:
        (event,) = audit.events(connection)
        assert releases.faults(connection) == []
    assert (event.action, event.subject) == ("release.made", made.release_id)


def test_only_the_network_releases(database):
    for scope in (PUBLIC, Scope("member", "P")):
        with pytest.raises(NotAllowed, match="Only the network"):
            keep(database, scope=scope)
    keep(database, scope=Scope("network", "N"))


def test_of_two_releases_at_once_one_is_told_of_the_other(database):
    keep(database)
    with pytest.raises(NotAllowed, match="Another release"):
        keep(database)
    assert len(releases.releases(database)) == 1


def test_a_release_that_was_altered_removed_or_slipped_in_is_found(database):
    made, other = keep(database), keep(database, 2)
    with database.writing() as connection:
        connection.execute(
            sa.update(RELEASES)
            .where(RELEASES.c.release_id == made.release_id)
            .values(content='{"a":2}')
        )
        connection.execute(sa.delete(RELEASES).where(RELEASES.c.release_id == other.release_id))
        connection.execute(
            sa.insert(RELEASES).values(
                release_id="x", number=9, made_at=made.made_at, made_by="x", as_of=TODAY, content=""
            )
        )
    with database.reading() as connection:
        assert sorted(releases.faults(connection)) == sorted(
            [
                f"The release {made.release_id} was altered after it was made.",
                f"The release {other.release_id} stands in the audit and is missing from the "
                "database.",
                "The release x does not stand in the audit.",
            ]
        )
        assert connection.execute(sa.select(sa.func.count()).select_from(AUDIT)).scalar() == 2
