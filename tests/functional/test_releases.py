"""A release of the worked example: from the ledger to the page and the files, and attacked."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.open_data.contents import open_release
from dashboard.open_data.package import package_files, write_package
from dashboard.service import Service
from dashboard.session import Person
from data.arrangements import make
from data.database import Database
from data.demo.plan import BID_CANDY, NETWORK, prime, subcontractor
from data.errors import NotAllowed
from data.replies import Published, Reply
from data.scope import OPERATOR, PUBLIC, Scope
from metrics.disclosure import rounded_count
from metrics.terms import MEASURES
from tests.faults.attacker import Attacker, Claim
from tests.functional.test_views import words

ROOT = Path(__file__).resolve().parents[2]
TODAY = dt.date(2013, 3, 15)
LARGE = 10_000


@pytest.fixture(scope="module")
def store(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worked example with one release."""
    folder = Path(shutil.copytree(demo_store, tmp_path_factory.mktemp("released") / "store"))
    Service(folder, OPERATOR).release(actor="operator", day=TODAY)
    return folder


def test_most_of_the_comparison_can_be_shown(store: Path):
    _, released = Service(store, OPERATOR).latest_release()
    comparison = released.comparison
    assert comparison.shown_share > 0.9
    for measure in MEASURES:
        shown = [one for one in comparison.figures if one.measure == measure]
        assert any(one.disclosed.value is not None for one in shown), measure
    fees = {
        one.prime_ids: one.disclosed.value
        for one in comparison.figures
        if one.measure == "effective_fee"
    }
    assert fees[prime(4),] > fees[prime(1),]  # one of prime 4's subcontractors pays far more


def test_everybody_is_shown_the_same_release(store: Path):
    service = Service(store, OPERATOR)
    whole = service.latest_release()
    for scope in (PUBLIC, Scope("member", subcontractor(8)), Scope("network", NETWORK)):
        assert service.within(scope).latest_release() == whole


def test_only_the_network_releases(store: Path):
    for scope in (PUBLIC, Scope("member", prime(1))):
        with pytest.raises(NotAllowed):
            Service(store, scope).release(actor="x", day=TODAY)


def test_nothing_new_makes_no_new_release_and_a_stricter_rule_does(store: Path, tmp_path: Path):
    copy = Path(shutil.copytree(store, tmp_path / "store"))
    service = Service(copy, OPERATOR)
    assert service.release(actor="operator", day=TODAY).number == 1
    stricter = service.release(actor="operator", day=TODAY, overrides={"disclosure_sources": "8"})
    assert stricter.number == 2
    made = service.open_release(TODAY)
    assert made.previous_release_id == "release-1"
    (rule,) = [one for one in made.rules if one.id == "disclosure_sources"]
    assert (int(rule.value), rule.overridden) == (8, True)
    assert not any(one.overridden for one in made.rules if one.id != "disclosure_sources")


def test_a_contract_under_embargo_is_gone_from_the_release_at_once(store: Path, tmp_path: Path):
    copy = Path(shutil.copytree(store, tmp_path / "store"))
    service = Service(copy, OPERATOR)
    database = Database(copy)
    contract_id = "EXAMPLE-NORTH-2"
    make(database, OPERATOR, service.reach(), "confidential", contract_id, reason="It forbids it.",
         actor="operator")  # fmt: skip
    _, released = service.latest_release()
    assert contract_id not in released.contract_ids
    text = b"".join(package_files(service.open_release(TODAY)).values())
    assert contract_id.encode() not in text
    assert BID_CANDY[1].encode() not in text
    service.release(actor="operator", day=TODAY)
    database.close()


def test_a_store_without_a_release_has_none(demo_store: Path):
    assert Service(demo_store, OPERATOR).latest_release() is None
    assert Service(demo_store, OPERATOR).open_release(TODAY) is None


def test_published_flags_stand_beside_the_replies(store: Path):
    kept, released = Service(store, OPERATOR).latest_release()
    at = dt.datetime(2013, 1, 10, tzinfo=dt.UTC)
    contract_id, who = BID_CANDY
    one = Published(
        case_id="1",
        flag="zero_referrals",
        contract_id=contract_id,
        prime_id=prime(2),
        subcontractor_id=who,
        names={},
        sentence="The subcontractor was sent nobody.",
        opened_at=at,
        due_on=at.date(),
        replies=(Reply("XX-EXAMPLE-OTHER", "disputed", "volume", "We had no clients.", at),),
        outcome="disputed",
        reason="Both were heard.",
        published_at=at,
        no_longer_raised=True,
    )
    made = open_release(kept, released, [one], NETWORK, "The network")
    assert made.rows_of("flags")[0]["still_raised"] == "no"
    assert made.rows_of("replies")[0]["text"] == "We had no clients."
    assert made.names()["XX-EXAMPLE-OTHER"] == "XX-EXAMPLE-OTHER"
    page = package_files(made)["index.html"].decode()
    assert "The subcontractor was sent nobody." in page
    assert "We had no clients." in page


def test_publish_releases_and_writes_it(demo_copy: Path, tmp_path: Path):
    folder = tmp_path / "open"
    ran = subprocess.run(
        [sys.executable, "-m", "dashboard", "publish", folder, "--store", demo_copy, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["release_id"] == "release-1"
    described = json.loads((folder / "datapackage.json").read_text())
    assert {"referrals", "terms", "flags"} <= {one["name"] for one in described["resources"]}


def test_the_package_of_the_worked_example_is_valid(store: Path, tmp_path: Path):
    from frictionless import Package

    write_package(Service(store, OPERATOR).open_release(TODAY), tmp_path / "open")
    report = Package(str(tmp_path / "open" / "datapackage.json")).validate()
    assert report.valid, report.flatten(["type", "message"])


# The attack


def test_no_hidden_count_of_the_worked_example_is_recovered(store: Path):
    """By one who knows all but two subcontractors, over every hidden count of a sample."""
    _, released = Service(store, OPERATOR).latest_release()
    truth, bounds, claims = {}, {}, []
    for one in released.referrals:
        if one.is_total:
            continue
        cell = (one.contract_id, one.subcontractor_id, one.period)
        truth[cell] = one.parts[cell]
        bounds[cell] = _bounds(one.disclosed.value, 7)
    for one in released.referrals:
        if one.is_total:
            low, high = _bounds(one.disclosed.value, LARGE)
            claims.append(Claim(dict.fromkeys(one.parts, 1.0), low, high))
            if one.disclosed.value is not None:
                assert one.disclosed.value == rounded_count(sum(one.parts.values()), 5)
    draw = random.Random(1)  # noqa: S311 - the same sample every time
    secrets = [c for c in truth if bounds[c] == (1, 7)]
    assert len(secrets) > 300
    for secret in draw.sample(secrets, 60):
        contract_id, who, period = secret
        near = {c for c in truth if c[0] == contract_id and c[2][:4] == period[:4]}
        others = sorted({c[1] for c in near} - {who})
        unknown = {c for c in near if c[1] in (who, draw.choice(others))}
        mine = [one for one in claims if not unknown.isdisjoint(one.weights)]
        attacker = Attacker(truth, True, mine)
        assert not attacker.knows(secret, *attacker.interval(secret, unknown, bounds)), secret


def _bounds(shown: float | None, most: int) -> tuple[float, float]:
    if shown is None:
        return (1, most)
    return (max(8, shown - 2), shown + 2) if shown else (0, 0)


def test_no_terms_of_the_worked_example_are_recovered(store: Path):
    """Whoever knows all other subcontractors' values has no tenth of anybody's."""
    _, released = Service(store, OPERATOR).latest_release()
    tested = 0
    for figure in released.comparison.figures:
        mean, shown = figure.mean, figure.disclosed.value
        if mean is None or shown is None:
            continue
        half, whole = float(mean.step) / 2, sum(one.weight for one in mean.contributions)
        sources: dict[tuple[str, str], list] = {}
        for one in mean.contributions:
            sources.setdefault((one.subject_id, one.source_id), []).append(one)
        for key, mine in sources.items():
            weight = sum(one.weight for one in mine)
            value = sum(one.value * one.weight for one in mine) / weight
            rest = sum(
                one.value * one.weight
                for one in mean.contributions
                if (one.subject_id, one.source_id) != key
            )
            low = ((shown - half) * whole - rest) / weight
            high = ((shown + half) * whole - rest) / weight
            reach = 0.1 * abs(value)
            assert low <= value - reach + 1e-9 or high >= value + reach - 1e-9, (figure, key)
            tested += 1
    assert tested > 300


# The page


def at_page(store: Path, scope: Scope) -> AppTest:
    session.serve(Service(store, OPERATOR), person=Person(scope))

    def script() -> None:
        from dashboard.views.terms import show

        show()

    return AppTest.from_function(script, default_timeout=60).run()


def test_a_subcontractor_sees_primes_compared_and_its_own_terms_among_them(store: Path):
    at = at_page(store, Scope("member", subcontractor(8)))
    at.selectbox(key="measure").select("declared_fee").run()
    told = words(at)
    assert "can be shown" in told
    assert "Your own:" in told
    assert "Only you see this." in told
    assert not at.button


def test_a_prime_sees_the_comparison_without_terms_of_its_own(store: Path):
    told = words(at_page(store, Scope("member", prime(2))))
    assert "Your own:" not in told
    assert "Why something is hidden" in told


@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_has_its_page(store: Path, measure: str):
    at = at_page(store, Scope("network", NETWORK))
    at.selectbox(key="measure").select(measure).run()
    assert MEASURES[measure].what in words(at)


def test_the_network_makes_a_release_on_the_page(demo_copy: Path):
    at = at_page(demo_copy, OPERATOR)
    assert "Nothing has been released yet." in words(at)
    at.button[0].click().run()
    assert "Release 1 was made." in words(at)
