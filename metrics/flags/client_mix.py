"""A subcontractor whose clients are of other groups than those of its prime: a question."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from metrics.client_mix import (
    GroupCount,
    as_arrays,
    expected_by_month,
    group_counts,
    matched_counts,
    mix_test,
    two_sided,
)
from metrics.clumping import clumping_sentence, overdispersion
from metrics.definition import Account, Assessment, Flag, SourceRow, Status
from metrics.programme import among_probabilities, standing_sentence
from metrics.source_rows import months_covered, rows_of
from metrics.wording import chance, count, figure, nothing_reported, period, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metrics.client_mix import MixTest
    from metrics.clumping import Overdispersion
    from metrics.facts import Facts, Subject
    from metrics.rules import Rules

FLAG = Flag(
    id="client_mix",
    order=9,
    title="Client mix unlike the prime's intake",
    question="Why did the subcontractor get another mix of client groups than the prime's intake "
    "would lead to expect?",
    why_it_matters="Clients of the hardest groups cost more to help and bring fewer outcomes. "
    "Whoever gets more of them than was to be expected earns less for more work.",
    numerator="Clients of a client group that the prime's own returns show as sent to the "
    "subcontractor, of all it was sent in the groups it serves.",
    denominator="The same share of the prime's whole intake in these groups.",
    unit="probability of a mix as uneven by chance, corrected for the number of client groups",
    grain="agreement; by client group in the evidence",
    direction="lower means harder to explain by chance; it asks and proves nothing",
    exclusions=(
        "Months that the prime's referrals returns do not cover.",
        "Client groups that the agreement does not serve.",
        "Agreements that serve one client group, or whose prime kept and sent nobody elsewhere.",
    ),
    assumptions=(
        "Both counts are the prime's own, so a difference between two reporters is not taken for "
        "one of the mix.",
        "Nobody promised a mix: the prime's own intake is the yardstick.",
        "A difference must be beyond chance, larger than the rule allows, and still be so when "
        "clients are compared month by month.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2: "
    "clients with other needs than expected",
    version=1,
    metrics=("client_mix", "intake", "clumping"),
    rule="client_mix",
    rules=(
        "client_mix",
        "client_mix_difference",
        "overdispersion",
        "overdispersion_pairs",
        "overdispersion_before",
    ),
    statuses=(
        (
            "raised",
            "a group's share is unlikely to be chance, further from that of the intake than the "
            "rule allows, and stays so month by month",
        ),
        ("watch", "the same, but month by month chance could explain it"),
        ("clear", "chance explains the mix, or the months do, or it differs by little"),
        ("too_early", "no client yet, or so few that not even the most uneven mix would tell"),
        ("not_reported", "the prime has reported no month of referrals"),
        ("not_applicable", "one client group only, or the whole intake went to it"),
    ),
    other_explanations=(
        "its premises are in a place where more people of this group live",
        "the agreement or the bid gives it these clients because of what it does best",
        "other subcontractors take clients of some groups only, which shifts the mix of the rest",
        "clients chose for themselves",
    ),
    ask_next=(
        "Ask the prime by what rule it decides which client goes where.",
        "Ask both sides whether the price reflects the clients that come.",
        "Ask both sides whether they sort clients into groups alike.",
    ),
    in_public="The subcontractor was sent other client groups than the prime's clients as a whole "
    "would suggest.",
)


@dataclass(frozen=True)
class _Group:
    """One client group of one agreement, tested; `effective` are the counts of the test.

    What is said `by_month` only where the first test calls for it; its probability is corrected.
    """

    client_group: str
    observed: int
    intake: int
    expected: Fraction
    probability: float
    corrected: float
    effective: tuple[int, int, int, int]  # observed, drawn, marked, all of
    expected_by_month: Fraction | None = None
    effective_by_month: tuple[int, int, int, int] | None = None
    probability_by_month: float | None = None

    @property
    def gap(self) -> Fraction:
        """Clients more (fewer, below 0) than were to be expected."""
        return self.observed - self.expected

    def exceeds(self, rules: Rules) -> bool:
        """Whether the gap is beyond chance and larger than the rule allows."""
        allowed = rules["client_mix_difference"].value * self.expected
        return self.corrected <= rules[FLAG.rule].value and abs(self.gap) > allowed

    def exceeds_by_month(self, rules: Rules) -> bool:
        """Whether the gap, on the same side, is larger than the rule allows month by month too."""
        if self.expected_by_month is None:
            return False
        gap = self.observed - self.expected_by_month
        allowed = rules["client_mix_difference"].value * self.expected_by_month
        return abs(gap) > allowed and (gap > 0) == (self.gap > 0)

    def stands(self, rules: Rules) -> bool:
        """Whether the gap is beyond chance month by month too."""
        probability = self.probability_by_month
        return (
            self.exceeds_by_month(rules)
            and probability is not None
            and probability <= rules[FLAG.rule].value
        )

    def evidence(self, mix: _Mix, rules: Rules) -> dict[str, Any]:
        """The group as JSON."""
        by_month = None
        if self.expected_by_month is not None and self.effective_by_month is not None:
            by_month = {
                "expected": float(self.expected_by_month),
                "counts_tested": _named(self.effective_by_month),
                "corrected_probability": self.probability_by_month,
                "stands": self.stands(rules),
            }
        return {
            "client_group": self.client_group,
            "observed": self.observed,
            "intake": self.intake,
            "share_received": self.observed / mix.received if mix.received else None,
            "share_of_intake": self.intake / mix.intake,
            "expected": float(self.expected),
            "direction": "more" if self.gap > 0 else "fewer" if self.gap < 0 else "as expected",
            "counts_tested": _named(self.effective),
            "probability": self.probability,
            "corrected_probability": self.corrected,
            "by_month": by_month,
        }


def _named(counts: tuple[int, int, int, int]) -> dict[str, int]:
    return dict(zip(("observed", "drawn", "marked", "all_of"), counts, strict=True))


@dataclass(frozen=True)
class _Mix:
    """The counts of one agreement in the groups it serves, the widest gap first.

    `elsewhere` are its clients of groups it does not serve, `partly_serving` the other agreements
    of the contract that serve only some of its groups. `least` and `smallest` as in `MixTest`.
    """

    groups: tuple[_Group, ...]
    elsewhere: int
    partly_serving: int
    least: float
    smallest: float
    clumping: Overdispersion

    @property
    def received(self) -> int:
        """Clients sent to the subcontractor."""
        return sum(group.observed for group in self.groups)

    @property
    def intake(self) -> int:
        """Clients of the prime, those sent to the subcontractor included."""
        return sum(group.intake for group in self.groups)

    @property
    def comparable(self) -> bool:
        """Whether there are clients on both sides and of two groups."""
        return 0 < self.received < self.intake and len(self.groups) > 1


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement; value is the smallest corrected probability."""
    mixes = _by_month(_mixes(facts, rules), facts, rules)
    found = [
        (subject, mix, _status(subject, mix, rules))
        for subject, mix in zip(facts.agreements, mixes, strict=True)
    ]
    standing = among_probabilities(
        [
            (subject, mix.smallest if status in ("raised", "watch", "clear") else None)
            for subject, mix, status in found
        ],
        rules[FLAG.rule].number,
    )
    used = {rule_id: rules[rule_id].answer() for rule_id in FLAG.rules}
    return [
        _assessment(subject, facts, rules, used, mix, status, among)
        for (subject, mix, status), among in zip(found, standing, strict=True)
    ]


def _mixes(facts: Facts, rules: Rules) -> list[_Mix]:
    counts = group_counts(facts)
    every = [
        counts.get((subject.contract_id, subject.subcontractor_id or ""), ())
        for subject in facts.agreements
    ]
    served = [
        [one for one in groups if one.client_group in (subject.client_groups or {one.client_group})]
        for subject, groups in zip(facts.agreements, every, strict=True)
    ]
    clumping = [overdispersion(subject, rules) for subject in facts.agreements]
    test = mix_test(*as_arrays(served), [one.value for one in clumping])
    others = defaultdict(list)
    for subject in facts.agreements:
        others[subject.contract_id].append(set(subject.client_groups))
    mixes = []
    for place, subject in enumerate(facts.agreements):
        names = {one.client_group for one in served[place]}
        mixes.append(
            _Mix(
                groups=_groups(served[place], test, place),
                elsewhere=sum(
                    one.observed for one in every[place] if one.client_group not in names
                ),
                partly_serving=sum(
                    bool(other & names) and not other >= names
                    for other in others[subject.contract_id]
                ),
                least=float(test.least[place]),
                smallest=float(test.smallest[place]),
                clumping=clumping[place],
            )
        )
    return mixes


def _groups(served: Sequence[GroupCount], test: MixTest, place: int) -> tuple[_Group, ...]:
    received = sum(one.observed for one in served)
    intake = sum(one.intake for one in served)
    counts, row = test.counts, (place, 0)
    groups = [
        _Group(
            client_group=one.client_group,
            observed=one.observed,
            intake=one.intake,
            expected=Fraction(received * one.intake, intake),
            probability=float(test.probability[place, column]),
            corrected=float(test.corrected[place, column]),
            effective=(
                int(counts.observed[place, column]),
                int(counts.drawn[row]),
                int(counts.marked[place, column]),
                int(counts.all_of[row]),
            ),
        )
        for column, one in enumerate(served)
    ]
    return tuple(sorted(groups, key=lambda one: (-abs(one.gap), one.intake, one.client_group)))


def _by_month(mixes: Sequence[_Mix], facts: Facts, rules: Rules) -> list[_Mix]:
    """The mixes with the second look, month by month, at the groups that call for it."""
    asked = {
        (subject.contract_id, subject.subcontractor_id or ""): mix
        for subject, mix in zip(facts.agreements, mixes, strict=True)
        if mix.comparable and any(one.exceeds(rules) for one in mix.groups)
    }
    if not asked:
        return list(mixes)
    expected = expected_by_month(
        facts, {key: [one.client_group for one in mix.groups] for key, mix in asked.items()}
    )
    looked = []
    for subject, mix in zip(facts.agreements, mixes, strict=True):
        wanted = expected.get((subject.contract_id, subject.subcontractor_id or ""), {})
        groups = tuple(
            _second_look(one, mix, wanted[one.client_group])
            if wanted and one.exceeds(rules)
            else one
            for one in mix.groups
        )
        looked.append(replace(mix, groups=groups))
    return looked


def _second_look(group: _Group, mix: _Mix, expected: Fraction) -> _Group:
    count_of = GroupCount(group.client_group, group.observed, group.intake)
    counts = matched_counts(count_of, mix.received, mix.intake, expected, mix.clumping.value)
    return replace(
        group,
        expected_by_month=expected,
        effective_by_month=(
            int(counts.observed),
            int(counts.drawn),
            int(counts.marked),
            int(counts.all_of),
        ),
        probability_by_month=min(1.0, len(mix.groups) * float(two_sided(counts))),
    )


def _status(subject: Subject, mix: _Mix, rules: Rules) -> Status:
    if not subject.intake_months:
        return "not_reported"
    one_group = len(subject.client_groups or mix.groups) == 1
    if one_group or 0 < mix.received == mix.intake:
        return "not_applicable"
    if not mix.comparable or mix.least > rules[FLAG.rule].value:
        return "too_early"
    if any(group.stands(rules) for group in mix.groups):
        return "raised"
    if any(group.exceeds_by_month(rules) for group in mix.groups):
        return "watch"
    return "clear"


def _assessment(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    used: dict[str, dict[str, Any]],
    mix: _Mix,
    status: Status,
    among: dict[str, Any] | None,
) -> Assessment:
    return Assessment(
        flag=FLAG.id,
        contract_id=subject.contract_id,
        prime_id=subject.prime_id,
        subcontractor_id=subject.subcontractor_id,
        client_group=None,
        status=status,
        value=mix.smallest if mix.comparable else None,
        low=None,
        high=None,
        threshold=rules[FLAG.rule].number,
        evidence={
            "window": subject.window.evidence(),
            "reported_months": subject.intake_months,
            "client_groups": list(subject.client_groups),
            "observed": mix.received,
            "intake": mix.intake,
            "observed_in_other_groups": mix.elsewhere,
            "agreements_serving_some_groups": mix.partly_serving,
            "by_client_group": [group.evidence(mix, rules) for group in mix.groups],
            "least_corrected_probability": mix.least if mix.comparable else None,
            "overdispersion": mix.clumping.evidence(),
            "among_programme": among,
            "rules": used,
        },
        sentence=_sentence(subject, facts, rules, mix, status, among),
        attributed_to=None,
    )


def _sentence(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    mix: _Mix,
    status: Status,
    among: dict[str, Any] | None,
) -> str:
    name, prime = facts.name(subject.subcontractor_id), facts.name(subject.prime_id)
    if status == "not_reported":
        return f"Not reported for {name}: {nothing_reported(subject, 'referrals', prime)}."
    when = period(subject.window, subject.intake_months)
    if status == "not_applicable":
        return f"Not applicable to {name}: {_incomparable(subject, mix, prime, when)}."
    if status == "too_early":
        clumped = mix.comparable and mix.clumping.value != 1
        clumps = f" {mix.clumping.sentence}" if clumped else ""
        return f"Too early to say: {_too_few(mix, rules, name, prime, when)}.{clumps}"
    rule = rules[FLAG.rule]
    limit = f"rule: {share(rule.number)}, corrected for the number of groups; {rule.standing}"
    beside = f"of the {count(mix.intake, 'client')} that {prime} had in the groups it serves {when}"
    by_chance = (
        "Chance alone would bring so rare a difference in any of its "
        f"{len(mix.groups)} groups in {chance(mix.smallest)} of cases ({limit})."
    )
    if status == "clear":
        first = mix.groups[0]
        return (
            f"Of {count(mix.received, 'client')} sent to {name}, {figure(first.observed)} "
            f"{_were(first.observed)} from {first.client_group}, the group furthest from what was "
            f"to be expected; it was {share(first.intake / mix.intake)} {beside}, which leads to "
            f"expect {figure(float(first.expected))}. {by_chance}{_why_clear(mix, rules)}"
        )
    asked = [
        one
        for one in mix.groups
        if (one.stands(rules) if status == "raised" else one.exceeds_by_month(rules))
    ]
    first = asked[0]
    only = "only " if first.gap < 0 else ""
    told = (
        f"Why did {name} get {only}{figure(first.observed)} of its "
        f"{count(mix.received, 'client')} from {first.client_group}, where {first.client_group} "
        f"was {share(first.intake / mix.intake)} {beside}? By that share "
        f"{figure(float(first.expected))} were to be expected; {_months_tell(first)}."
        f"{_further(asked)} {by_chance}"
    )
    if mix.clumping.value != 1:
        told += f" {mix.clumping.sentence}"
    if status == "watch":
        return (
            f"{told} But compared month by month, it would come about in "
            f"{chance(first.probability_by_month or 0.0)} of cases, so it is short of the evidence "
            "asked."
        )
    if among is not None and not among["stands"]:
        told += f" {standing_sentence(among)}"
    told += _beside_it(mix)
    return f"{told} What else could explain it: {'; '.join(FLAG.other_explanations)}."


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _incomparable(subject: Subject, mix: _Mix, prime: str, when: str) -> str:
    if len(subject.client_groups) == 1:
        return f"it serves one client group only ({subject.client_groups[0]}), so it has no mix"
    if len(mix.groups) == 1:
        return (
            f"all clients that {prime} reports {when} are of one client group "
            f"({mix.groups[0].client_group}), so there is no mix"
        )
    return (
        f"every one of the {count(mix.intake, 'client')} that {prime} reports {when} in the groups "
        "it serves was sent to it, so there is nothing to compare with"
    )


def _too_few(mix: _Mix, rules: Rules, name: str, prime: str, when: str) -> str:
    if not mix.received:
        other = ""
        if mix.elsewhere:
            other = f" (but {count(mix.elsewhere, 'client')} of groups it does not serve)"
        return (
            f"{prime} reports no client of the groups it serves sent to {name} {when}{other}, so "
            "there is no mix to compare"
        )
    if len(mix.groups) == 1:
        return (
            f"all clients that {prime} reports {when} in the groups {name} serves are from "
            f"{mix.groups[0].client_group}, so there is no mix to compare yet"
        )
    rule = rules[FLAG.rule]
    return (
        f"{prime} reports {count(mix.received, 'client')} sent to {name} {when}, of "
        f"{figure(mix.intake)} in the groups it serves; even the most uneven mix that "
        f"these numbers allow would come about in {chance(mix.least)} of cases (rule: "
        f"{share(rule.number)}; {rule.standing})"
    )


def _why_clear(mix: _Mix, rules: Rules) -> str:
    if mix.smallest > rules[FLAG.rule].value:
        return ""
    looked = [one for one in mix.groups if one.expected_by_month is not None]
    if not looked:
        rule = rules["client_mix_difference"]
        return (
            f" That is not chance, but no such group differs by more than {share(rule.number)} "
            f"(rule; {rule.standing})."
        )
    first = looked[0]
    return (
        f" Taken together that is not chance, but the months explain it: {_months_tell(first)} "
        f"from {first.client_group}."
    )


def _months_tell(group: _Group) -> str:
    return (
        "had each month's clients been shared out alike, it would have got "
        f"{figure(float(group.expected_by_month or 0))}"
    )


def _further(asked: Sequence[_Group]) -> str:
    if len(asked) < 2:
        return ""
    others = "; ".join(
        f"{one.client_group}, {figure(one.observed)} where {figure(float(one.expected))} were to "
        "be expected"
        for one in asked[1:]
    )
    return f" The same is asked of {others}."


def _beside_it(mix: _Mix) -> str:
    told = ""
    if mix.partly_serving:
        others = count(mix.partly_serving, "other agreement")
        verb = "serves" if mix.partly_serving == 1 else "serve"
        told += f" {others} of this contract {verb} only some of these groups."
    if mix.elsewhere:
        told += (
            f" {count(mix.elsewhere, 'client')} of groups it does not serve "
            f"{'is' if mix.elsewhere == 1 else 'are'} left out."
        )
    return told


def account(found: Assessment, facts: Facts) -> Account:
    """What the intake leads to expect, what came, and the test group by group."""
    evidence = found.evidence
    name, prime = facts.name(found.subcontractor_id), facts.name(found.prime_id)
    groups = ", ".join(evidence["client_groups"]) or "all client groups"
    return Account(
        promise=(
            "Nobody promised a mix of clients: the prime's own intake is the yardstick.",
            f"{name} serves {groups}, by its prices and forecasts.",
        ),
        happened=_happened(evidence, name, prime),
        arithmetic=_arithmetic(found) if found.value is not None else (),
    )


def _happened(evidence: dict[str, Any], name: str, prime: str) -> tuple[str, ...]:
    if not evidence["reported_months"]:
        return (f"{prime} has reported no month of referrals that counts.",)
    told = [
        f"In {count(evidence['reported_months'], 'month')} that {prime} has reported, it had "
        f"{count(evidence['intake'], 'client')} in these groups and sent "
        f"{figure(evidence['observed'])} of them to {name}."
    ]
    told += [
        f"{group['client_group']}: {figure(group['observed'])} sent to {name}, of "
        f"{figure(group['intake'])}."
        for group in evidence["by_client_group"]
    ]
    if evidence["observed_in_other_groups"]:
        told.append(
            f"{count(evidence['observed_in_other_groups'], 'more client')} of groups it does not "
            f"serve went to {name}; they are left out."
        )
    others = evidence["agreements_serving_some_groups"]
    if others:
        told.append(
            f"{count(others, 'other agreement')} of the contract "
            f"{'serves' if others == 1 else 'serve'} only some of these groups, which shifts the "
            "mix of the rest."
        )
    return tuple(told)


def _arithmetic(found: Assessment) -> tuple[str, ...]:
    evidence = found.evidence
    groups, rules = evidence["by_client_group"], evidence["rules"]
    clumping = evidence["overdispersion"]
    steps = [clumping_sentence(clumping)]
    if clumping["value"] != 1:
        steps.append(
            f"So all counts are divided by {figure(clumping['value'])} and rounded down (those "
            "sent, towards what was to be expected) before they are tested."
        )
    steps += [
        f"{group['client_group']}: expected {figure(evidence['observed'])} x "
        f"{figure(group['intake'])} / {figure(evidence['intake'])} = "
        f"{figure(group['expected'])}, came {figure(group['observed'])}. Chance of "
        f"{_tail(group['counts_tested'])}, doubled and at most 1 = {group['probability']:.3g}."
        for group in groups
    ]
    steps.append(
        f"Holm's correction for {len(groups)} groups: the smallest chance times {len(groups)}, the "
        f"next times {len(groups) - 1}, and so on, none below the one before. The smallest becomes "
        f"{found.value:.3g}; at most {share(found.threshold)} is asked about, if the "
        f"group is more than {share(rules['client_mix_difference']['value'])} from its expected "
        "clients."
    )
    if found.status == "too_early":
        steps.append(
            "The most uneven mix that these numbers allow would come to "
            f"{chance(evidence['least_corrected_probability'])}, so nothing can be said yet."
        )
    for group in groups:
        second = group["by_month"]
        if second is not None:
            verdict = "the question stands" if second["stands"] else "the question does not stand"
            steps.append(
                f"{group['client_group']}, month by month: the clients of each month times the "
                f"group's share of that month's intake come to {figure(second['expected'])}. With "
                f"that share, chance of {_tail(second['counts_tested'])}, doubled, times "
                f"{len(groups)} and at most 1 = {second['corrected_probability']:.3g}, so "
                f"{verdict}."
            )
    if evidence["among_programme"] and found.status == "raised":
        steps.append(standing_sentence(evidence["among_programme"]))
    return tuple(steps)


def _tail(tested: dict[str, int]) -> str:
    """The smaller tail as a spreadsheet works it out, without a difference that loses digits."""
    observed, drawn, marked, all_of = tested.values()
    if observed * all_of <= drawn * marked:
        return f"so few: HYPGEOM.DIST({observed}, {drawn}, {marked}, {all_of}, TRUE)"
    others = f"{drawn - observed}, {drawn}, {all_of - marked}, {all_of}"
    return f"so many, and so few of all others: HYPGEOM.DIST({others}, TRUE)"


def source_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """The prime's referrals of the months it covers, and what says which groups are served."""
    months = months_covered(facts, "referrals", found.contract_id, found.subcontractor_id)
    served = found.evidence["client_groups"]

    def referral(row: Mapping[str, Any]) -> str | None:
        by_prime = months.get(row["month"], (False, False))[1]
        if row["reporter_id"] != found.prime_id or not by_prime:
            return None
        own = row["subcontractor_id"] == found.subcontractor_id
        if served and row["client_group"] not in served:
            return "left out: a client group it does not serve" if own else None
        return "sent to it" if own else "intake, not sent to it"

    def group_served(row: Mapping[str, Any]) -> str | None:
        return None if row["client_group"] is None else "names a client group it serves"

    agreement = found.contract_id, found.subcontractor_id
    return [
        *rows_of(facts, "prices", *agreement, group_served),
        *rows_of(facts, "forecasts", *agreement, group_served),
        *rows_of(facts, "referrals", *agreement, referral, any_subcontractor=True),
    ]
