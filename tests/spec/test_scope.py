"""Who sees what: every row, column and answer, for every part an organisation can have."""

from __future__ import annotations

import datetime as dt

import pytest

from dashboard.service import Service
from data.errors import NotAllowed, NotOnRecord, UserError
from data.scope import EVERYBODY, NOT_SHOWN, OPERATOR, PARTS, PUBLIC, Parties, Scope, reach_of
from data.tables import TABLES

# Two primes, P and Q. S delivers for both, T for P only. Q is itself a subcontractor of P in C3.
REGISTERS = {
    "organisations": "organisation_id,name,sector\n"
    + "".join(f"{one},Name of {one},private\n" for one in ("N", "G", "H", "P", "Q", "S", "T")),
    "contracts": "contract_id,programme,commissioner_id,prime_id,starts_on\n"
    "C1,Work,G,P,2011-06-01\nC2,Work,H,Q,2011-06-01\nC3,Work,G,P,2011-06-01\n",
    "agreements": "contract_id,subcontractor_id,delivery_role,named_in_bid,live_on\n"
    "C1,S,end_to_end,yes,2011-06-01\nC1,T,end_to_end,yes,2011-06-01\n"
    "C2,S,end_to_end,yes,2011-06-01\nC3,Q,end_to_end,yes,2011-06-01\n",
    "prices": "contract_id,subcontractor_id,client_group,payment_type,price\n"
    "C1,,JSA,job_outcome,1000\nC1,S,JSA,job_outcome,801\nC1,T,JSA,job_outcome,802\n"
    "C2,,JSA,job_outcome,1000\nC2,S,JSA,job_outcome,803\n"
    "C3,,JSA,job_outcome,1000\nC3,Q,JSA,job_outcome,804\n",
    "forecasts": "contract_id,subcontractor_id,client_group,month,referrals,issued_on\n"
    "C1,,JSA,2011-06,50,2011-05-01\nC1,S,JSA,2011-06,11,2011-05-01\n"
    "C1,T,JSA,2011-06,12,2011-05-01\nC2,S,JSA,2011-06,13,2011-05-01\n"
    "C3,Q,JSA,2011-06,14,2011-05-01\n",
}
REFERRAL = "referral_id,contract_id,subcontractor_id,client_group,referred_on\n"
PAYMENT = (
    "payment_id,contract_id,subcontractor_id,payment_type,client_group,earned_on,"
    "commissioner_amount,subcontractor_amount\n"
)
LOGS = [
    ("P", "referrals", REFERRAL + "P1,C1,S,JSA,2011-06-02\nP2,C1,T,JSA,2011-06-02\n"
     "P3,C1,P,JSA,2011-06-02\nP4,C3,Q,JSA,2011-06-02\n"),
    ("Q", "referrals", REFERRAL + "Q1,C2,S,JSA,2011-06-02\n"),
    ("S", "referrals", REFERRAL + "S1,C1,S,JSA,2011-06-02\nS2,C2,S,JSA,2011-06-02\n"),
    ("P", "payments", PAYMENT + "PP1,C1,S,job_outcome,JSA,2011-06-09,1000,801\n"
     "PP2,C1,T,job_outcome,JSA,2011-06-09,1000,802\n"),
    ("Q", "payments", PAYMENT + "QP1,C2,S,job_outcome,JSA,2011-06-09,1000,803\n"),
    ("T", "payments", PAYMENT + "TP1,C1,T,job_outcome,JSA,2011-06-09,,802\n"),
]  # fmt: skip
RECEIVED = dt.date(2011, 8, 1)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Service:
    service = Service(tmp_path_factory.mktemp("scope") / "store", OPERATOR)
    for table, text in REGISTERS.items():
        submit(service, table, text, "N")
    for by, table, text in LOGS:
        submit(service, table, text, by)
    return service


def submit(service: Service, table: str, text: str, by: str) -> None:
    draft = service.examine(table, (f"{table}.csv", text.encode()), by=by, received_on=RECEIVED)
    assert draft.verdict.fit, draft.verdict.findings
    service.record(draft)


def member(service: Service, organisation_id: str, **more: frozenset[str]) -> Service:
    return service.within(Scope("member", organisation_id, **more))


def ids(service: Service, table: str) -> set[str]:
    key = TABLES[table].column(TABLES[table].key[0]).stored
    frame = getattr(service.frames(), table).collect("pyarrow").to_native()
    return set(frame.column(key).to_pylist())


def values(service: Service, table: str, column: str) -> list[object]:
    frame = getattr(service.frames(), table).collect("pyarrow").to_native()
    return sorted(frame.column(column).to_pylist(), key=str)


@pytest.mark.parametrize(
    ("who", "referrals"),
    [
        ("N", {"P1", "P2", "P3", "P4", "Q1", "S1", "S2"}),
        ("G", {"P1", "P2", "P3", "P4", "S1"}),
        ("H", {"Q1", "S2"}),
        ("P", {"P1", "P2", "P3", "P4", "S1"}),
        ("Q", {"Q1", "S2", "P4"}),
        ("S", {"P1", "Q1", "S1", "S2"}),
        ("T", {"P2"}),
        ("public", set()),
    ],
)
def test_referrals_are_seen_by_the_parties_of_their_agreement(operator, who, referrals):
    assert ids(operator.asked_by(who), "referrals") == referrals


@pytest.mark.parametrize(
    ("who", "prices"),
    [
        ("P", [801_00, 802_00, 804_00, 1000_00, 1000_00]),
        ("Q", [803_00, 804_00, 1000_00]),
        ("S", [801_00, 803_00]),
        ("T", [802_00]),
        ("G", [1000_00, 1000_00]),
        ("public", []),
    ],
)
def test_prices_are_ones_own_never_anothers(operator, who, prices):
    seen = values(operator.asked_by(who), "prices", "price_pence")
    assert sorted(seen) == prices  # type: ignore[type-var]


def test_a_commissioner_sees_subcontractors_prices_only_where_the_network_switched_that_on(
    operator,
):
    shown = member(operator, "G", prices_shown=frozenset({"C1"}))
    assert values(shown, "prices", "price_pence") == [100000, 100000, 80100, 80200]
    amount = "subcontractor_amount_pence"
    assert values(member(operator, "G"), "payments", amount) == [None, None, None]
    assert values(shown, "payments", amount) == [80100, 80200, 80200]
    assert values(member(operator, "P"), "payments", amount) == [80100, 80200, 80200]
    commissioner = member(operator, "G")
    assert values(commissioner, "payments", "commissioner_amount_pence") == [100000, 100000, None]


@pytest.mark.parametrize(
    ("who", "organisations"),
    [
        ("S", {"S", "N", "G", "H", "P", "Q"}),
        ("T", {"T", "N", "G", "P"}),
        ("P", {"P", "N", "G", "S", "T", "Q"}),
        ("Q", {"Q", "N", "H", "S", "G", "P"}),
        ("G", {"G", "N", "P", "S", "T", "Q"}),
        ("H", {"H", "N", "Q", "S"}),
        ("public", set()),
    ],
)
def test_an_organisation_knows_those_it_has_to_do_with(operator, who, organisations):
    assert ids(operator.asked_by(who), "organisations") == organisations


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("S", {("C1", "S"), ("C2", "S")}),
        ("T", {("C1", "T")}),
        ("Q", {("C2", "S"), ("C2", None), ("C3", "Q")}),
        ("H", {("C2", "S"), ("C2", None)}),
        ("public", set()),
    ],
)
def test_answers_are_about_ones_own_agreements_and_contracts(operator, who, seen):
    report = operator.asked_by(who).flags()
    assert {(a.contract_id, a.subcontractor_id) for a in report.assessments} == seen


def test_everybody_is_told_the_same_answer(operator):
    """Figures rest on the whole ledger, whoever asks: a prime's intake counts for its accuser."""
    whole = {(a.flag, a.contract_id, a.subcontractor_id): a for a in operator.flags().assessments}
    for who in ("N", "G", "H", "P", "Q", "S", "T"):
        for found in operator.asked_by(who).flags().assessments:
            full = whole[found.flag, found.contract_id, found.subcontractor_id]
            assert found.status == full.status
            if found.evidence.get("rounded"):  # what a commissioner without leave is told of a fee
                assert who in ("G", "H")
                continue
            assert (found.status, found.value, found.low, found.high, found.sentence) == (
                full.status,
                full.value,
                full.low,
                full.high,
                full.sentence,
            )


@pytest.mark.parametrize("about", [("C1", "T"), ("C2", "S"), ("C1", None), ("C9", "S")])
def test_what_is_not_yours_and_what_is_not_there_are_refused_alike(operator, about):
    asker = member(operator, "T" if about == ("C2", "S") else "S" if about[1] == "T" else "T")
    day = dt.date.today()
    asked = [
        lambda: asker.referral_months(*about, day),
        lambda: asker.explanations(asker.flags(), *about),
        lambda: asker.rows("payments", *about),
    ]
    if about[1]:
        asked += [
            lambda: asker.paid_months(*about, day),
            lambda: asker.timing(*about, day),
            lambda: asker.fee_over_clients(*about, asker.flags().rules, day),
        ]
    else:
        asked += [lambda: asker.contract_figures("C1", day)]
    for ask in asked:
        with pytest.raises(NotOnRecord) as refusal:
            ask()
        assert str(refusal.value) == NOT_SHOWN


def test_rows_behind_an_answer_are_both_sides_of_ones_own_events(operator):
    rows = member(operator, "S").rows("referrals", "C1", "S")
    assert set(rows["referral_id"]) == {"P1", "S1"}
    assert set(rows["side"]) == {"prime", "subcontractor"}


def test_history_is_of_ones_own_returns_and_the_networks_of_all(operator):
    assert {one.reporter_id for one in member(operator, "S").history()} == {"S"}
    assert member(operator, "G").history() == ()
    assert operator.within(PUBLIC).history() == ()
    assert operator.asked_by("N").history() == operator.history()


def test_a_return_as_received_is_seen_by_its_reporter_and_its_agent_only(operator):
    (entry,) = [one for one in operator.history() if one.reporter_id == "T"]
    assert member(operator, "T").original(entry.return_id)[1].num_rows == 1
    agent = operator.within(Scope("network", "N", agent_for=frozenset({"T"})))
    assert agent.original(entry.return_id)[0] == entry
    for other in (operator.asked_by("N"), member(operator, "P"), operator.within(PUBLIC)):
        with pytest.raises(NotOnRecord, match="not yours to see"):
            other.original(entry.return_id)
        with pytest.raises(NotAllowed, match="not yours to see"):
            other.ledger().rows_of(other.scope, entry)


def test_a_member_reports_for_its_own_organisation_only(operator):
    content = ("r.csv", (REFERRAL + "X1,C1,S,JSA,2011-06-02\n").encode())
    with pytest.raises(NotAllowed, match="You report for T, not for S"):
        member(operator, "T").examine("referrals", content, by="S")
    with pytest.raises(NotAllowed, match="You report for no organisation, not for S"):
        operator.within(PUBLIC).examine("referrals", content, by="S")
    assert member(operator, "S").examine("referrals", content, by="S").verdict.fit
    assert operator.asked_by("N").examine("referrals", content, by="S").verdict.fit


LATE = (
    "Only the network may say that a return was received on an earlier day. Leave received_on "
    "out: today counts."
)


@pytest.mark.parametrize("by", ["G", "P", "S", "T"])
def test_only_the_network_and_the_operator_say_that_a_return_came_earlier(operator, by):
    """Else a member could change what was known on a day that is past."""
    today = dt.date.today()
    day_before = today - dt.timedelta(days=1)
    content = ("referrals.csv", (REFERRAL + "S9,C1,S,JSA,2011-06-02\n").encode())

    def asked(service: Service, day: dt.date | None) -> list[dt.date]:
        drafts = [service.examine("referrals", content, by=by, received_on=day)]
        if by != "G":  # it has no part in which there could be nothing to report
            drafts.append(
                service.examine_nil("referrals", by=by, covers="2011-06", received_on=day)
            )
        return [one.received_on for one in drafts]

    for whoever in (operator, operator.asked_by("N")):
        assert set(asked(whoever, day_before)) == {day_before}
    mine = operator.asked_by(by)
    assert set(asked(mine, None)) == set(asked(mine, today)) == {today}
    with pytest.raises(NotAllowed) as told:
        mine.examine("referrals", content, by=by, received_on=day_before)
    assert str(told.value) == LATE
    with pytest.raises(NotAllowed) as told:
        mine.examine_nil("referrals", by=by, covers="2011-06", received_on=day_before)
    assert str(told.value) == LATE


def refused(service: Service, table: str, text: str, by: str) -> str:
    draft = service.examine(table, ("file.csv", text.encode()), by=by)
    assert not draft.verdict.fit
    return " ".join(f"{one.message} {one.remedy}" for one in draft.verdict.findings)


def test_a_refusal_hints_at_nothing_outside_the_scope(operator):
    """The contract C2 and the organisation T are one letter away, and not told."""
    said = refused(member(operator, "T"), "referrals", REFERRAL + "X,C4,T,JSA,2011-06-02\n", "T")
    assert "C1" in said
    assert not any(other in said for other in ("C2", "C3"))
    agreement = "contract_id,subcontractor_id,delivery_role,named_in_bid\nC2,TT,specialist,no\n"
    assert '"T"' not in refused(member(operator, "Q"), "agreements", agreement, "Q")
    assert '"T"' in refused(operator, "agreements", agreement.replace("C2", "C1"), "P")


def test_a_file_gets_the_same_verdict_from_its_sender_as_from_the_operator(operator):
    """Judging needs the whole ledger; only what is told is limited."""
    new = "contract_id,programme,commissioner_id,prime_id,starts_on\n"
    cases = [
        ("H", "contracts", new + "C1,Work,H,Q,2011-06-01\n"),  # has another commissioner
        ("H", "contracts", new + "C5,Work,H,P,2011-06-01\n"),  # a prime it had nothing to do with
        ("Q", "agreements", "contract_id,subcontractor_id,delivery_role,named_in_bid\n"
         "C2,T,specialist,no\n"),
        ("S", "referrals", REFERRAL + "S9,C1,S,JSA,2011-07-02\n"),
        ("S", "referrals", REFERRAL + "S9,C1,T,JSA,2011-07-02\n"),
    ]  # fmt: skip
    for by, table, text in cases:
        content = ("file.csv", text.encode())
        mine = member(operator, by).examine(table, content, by=by)
        whole = operator.examine(table, content, by=by)
        assert mine.verdict.fit == whole.verdict.fit, (by, text)


def test_months_and_first_day_are_those_of_returns_one_has_to_do_with(operator):
    june = (dt.date(2011, 6, 1),)
    assert member(operator, "T").months() == (RECEIVED, june)
    assert operator.within(PUBLIC).months() == (None, ())


def test_an_unknown_asker_is_named_with_the_nearest(operator):
    with pytest.raises(UserError, match='"NN" is on record'):
        operator.asked_by("NN")
    with pytest.raises(UserError, match="or as public"):
        operator.asked_by("zzzzz")
    assert operator.asked_by(None) is operator


def test_a_flag_that_rests_on_a_subcontractors_own_returns_waits_for_its_leave(operator):
    asked = frozenset({"S"})
    about = {"contract_id": "C1", "subcontractor_id": "S"}

    def seen(**scope) -> set[str]:
        found = operator.within(Scope(**scope)).flags().assessments
        return {a.flag for a in found if (a.contract_id, a.subcontractor_id) == ("C1", "S")}

    everything = seen(role="operator")
    waiting = {"zero_referrals", "volume_divergence", "unreconciled", "not_reported"}
    assert seen(role="member", organisation_id="P", ask_first=asked) == everything - waiting
    assert seen(role="member", organisation_id="G", ask_first=asked) == everything - waiting
    assert seen(role="member", organisation_id="S", ask_first=asked) == everything
    assert seen(role="network", organisation_id="N", ask_first=asked) == everything
    leave = frozenset({("zero_referrals", *about.values())})
    now = seen(role="member", organisation_id="P", ask_first=asked, released=leave)
    assert waiting - now == waiting - {"zero_referrals"}
    prime = operator.within(Scope("member", "P", ask_first=asked))
    with pytest.raises(NotOnRecord, match="not yours to see"):
        prime.explain("zero_referrals", **about)
    assert prime.explain("risk_transfer", **about).assessment.flag == "risk_transfer"


def test_every_part_has_a_rule_for_every_table_but_the_organisations():
    for part in PARTS:
        assert set(part.rows) == set(TABLES) - {"organisations"}
        assert EVERYBODY[part.title] == part.told


def test_a_reach_without_parties_reaches_nothing():
    reach = reach_of(Scope("member", "S"), Parties())
    assert reach.contracts == frozenset()
    assert reach.organisations == {"S"}
    assert not reach.sees("C1", "S")
    for table in ("contracts", "prices", "payments"):
        assert not reach.sees_row(table, "C1", "P", None)
