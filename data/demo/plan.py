"""Who takes part in the invented chain, and what was agreed: the registers of the example."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from data.parse import months_between

PROGRAMME = "Invented Work Programme (example)"
MONTHS = months_between(dt.date(2011, 6, 1), dt.date(2012, 11, 1))
LAST_DAY = dt.date(2012, 11, 30)
CLOSED_ON = dt.date(2012, 12, 10)  # the day the logs are received: nothing later is known
ISSUED_ON = dt.date(2011, 5, 16)
REVISED_ON = dt.date(2012, 5, 14)

NETWORK = "XX-EXAMPLE-NETWORK"
COMMISSIONER = "XX-EXAMPLE-COMMISSIONER"

YOUNG, ADULT, VOLUNTEERS, EX_IB = "JSA 18-24", "JSA 25+", "ESA volunteers", "ESA ex-IB"
GROUPS = (YOUNG, ADULT, VOLUNTEERS, EX_IB)
HEALTH = (VOLUNTEERS, EX_IB)
PAID_EVENTS = ("attachment_fee", "job_outcome", "sustainment")
PRICES_PENCE = {
    YOUNG: (400_00, 1200_00, 170_00),
    ADULT: (400_00, 1200_00, 215_00),
    VOLUNTEERS: (400_00, 1000_00, 115_00),
    EX_IB: (600_00, 3500_00, 370_00),
}

# Referrals a month that the commissioner forecast, before the size of the contract.
FORECAST_PER_MONTH = {YOUNG: 23, ADULT: 42, VOLUNTEERS: 5, EX_IB: 6}


@dataclass(frozen=True)
class Organisation:
    """One line of the organisations register."""

    organisation_id: str
    name: str
    sector: str


@dataclass(frozen=True)
class Contract:
    """One prime in one area; `forecast` is referrals a month by client group."""

    contract_id: str
    area: str
    prime_id: str
    forecast: dict[str, float]


@dataclass(frozen=True)
class Agreement:
    """One subcontractor in one contract.

    `share` is its share of the contract's referrals in `groups`, as the prime plans it and, where
    `actual_share` is empty, as it allocates. `promise` says how the share was promised: in
    forecasts, as a share alone, or not at all. `charged_fee` is the fee actually kept, `growing`
    a share that rises month by month, `paid_after_days` how long the prime takes to pay on.
    """

    contract_id: str
    subcontractor_id: str
    delivery_role: str
    groups: tuple[str, ...]
    share: float
    promise: str = "forecast"
    consented: bool = True
    fee: float = 0.10
    actual_share: float | None = None
    charged_fee: float | None = None
    growing: bool = False
    paid_after_days: int = 6
    forecast_months: tuple[int, ...] = ()  # months with one referral each, instead of the share

    @property
    def tier(self) -> int:
        """1 for end-to-end delivery, 2 for the rest, as in the Work Programme."""
        return 1 if self.delivery_role == "end_to_end" else 2

    @property
    def named(self) -> bool:
        """Whether the bid named it: those with a promise were."""
        return self.promise != "none"

    def weight(self, month: int) -> float:
        """The share it is allocated in a month of the example, counted from 0."""
        share = self.share if self.actual_share is None else self.actual_share
        return share * growth(month) if self.growing else share

    def kept(self) -> float:
        """The management fee that the payments show."""
        return self.fee if self.charged_fee is None else self.charged_fee


def growth(month: int) -> float:
    """A share that rises in a line and is 1 on average over the example."""
    return 2 * (month + 1) / (len(MONTHS) + 1)


def subcontractor(number: int) -> str:
    """The id of a subcontractor."""
    return f"XX-EXAMPLE-SUB-{number:02d}"


def prime(number: int) -> str:
    """The id of a prime."""
    return f"XX-EXAMPLE-PRIME-{number}"


# fmt: off
WORDS = (
    "Acorn", "Beacon", "Birch", "Bramble", "Bridge", "Brook", "Canal", "Cedar", "Chalk",
    "Cloud", "Cobalt", "Copper", "Cornfield", "Crescent", "Dovecote", "Delta", "Dune", "Elder",
    "Ember", "Fern", "Field", "Flint", "Foundry", "Garden", "Gorse", "Granite", "Grove", "Harvest",
    "Heath", "Hilltop", "Hollow", "Island", "Juniper", "Kestrel", "Lagoon", "Lantern", "Lupin",
    "Ledge", "Lighthouse", "Linden", "Lowland", "Maple", "Marsh", "Meadow", "Mill", "Moor",
    "Oak", "Orchard", "Pebble", "Pine", "Quarry", "Reed", "Rampart", "Sandstone", "Slate",
    "Spring", "Tide", "Valley", "Willow", "Wharf",
)
# fmt: on
VOLUNTARY = (1, 2, 4, 7, 8, 11, 13)  # of every fifteen: 28 of 60, 47 %
SPELLED_TWICE, OTHER_SPELLING = 9, 61


def _subcontractor(number: int) -> Organisation:
    """An invented subcontractor; every tenth is public, 47 % are voluntary."""
    if number in (SPELLED_TWICE, OTHER_SPELLING):
        name = "Invented Harbour Skills Ltd (example)"
        name = name if number == SPELLED_TWICE else "INVENTED HARBOUR SKILLS LTD. (Example)"
        return Organisation(subcontractor(number), name, "private")
    forms: tuple[str, ...]
    if number % 15 in VOLUNTARY:
        sector, forms = "voluntary", ("Trust", "Hub", "Charity")
    elif number % 10 == 0:
        sector, forms = "public", ("College", "Adult Learning Service")
    else:
        sector, forms = "private", ("Training Ltd", "Skills Ltd", "Employment Ltd")
    name = f"Invented {WORDS[number - 1]} {forms[number % len(forms)]} (example)"
    return Organisation(subcontractor(number), name, sector)


ORGANISATIONS = (
    Organisation(NETWORK, "Invented Voluntary Sector Network (example)", "voluntary"),
    Organisation(COMMISSIONER, "Invented Department for Jobs (example)", "public"),
    Organisation(prime(1), "Invented Northstar Employment plc (example)", "private"),
    Organisation(prime(2), "Invented Gateway Works plc (example)", "private"),
    Organisation(prime(3), "Invented Riverside Trust (example)", "voluntary"),
    Organisation(prime(4), "Invented Pathfinder Services plc (example)", "private"),
    Organisation(prime(5), "Invented Quiet Harbour Group plc (example)", "private"),
    *(_subcontractor(number) for number in range(1, 62)),
)


def _contract(contract_id: str, area: str, prime_number: int, size: float) -> Contract:
    forecast = {group: size * count for group, count in FORECAST_PER_MONTH.items()}
    return Contract(contract_id, area, prime(prime_number), forecast)


NORTH, SOUTH = "Invented Northmoor (example area)", "Invented Southvale (example area)"
CONTRACTS = (
    _contract("EXAMPLE-NORTH-1", NORTH, 1, 1.0),
    _contract("EXAMPLE-NORTH-2", NORTH, 2, 0.9),
    _contract("EXAMPLE-NORTH-3", NORTH, 3, 1.1),
    _contract("EXAMPLE-SOUTH-1", SOUTH, 1, 0.9),
    _contract("EXAMPLE-SOUTH-2", SOUTH, 4, 1.0),
    _contract("EXAMPLE-SOUTH-3", SOUTH, 5, 0.6),
)
SILENT_PRIME = prime(5)  # sends a forecast, and never a log

# Delivery role, client groups, share and promise of the subcontractors of one contract.
_RECIPE = (
    ("end_to_end", GROUPS, 0.13, "forecast"),
    ("end_to_end", GROUPS, 0.11, "forecast"),
    ("end_to_end", GROUPS, 0.10, "forecast"),
    ("end_to_end", GROUPS, 0.09, "forecast"),
    ("specialist", (YOUNG,), 0.06, "forecast"),
    ("specialist", (ADULT,), 0.06, "forecast"),
    ("specialist", (ADULT,), 0.05, "forecast"),
    ("specialist", (YOUNG,), 0.05, "share"),
    ("call_off", HEALTH, 0.08, "none"),
    ("call_off", (ADULT,), 0.015, "none"),
    ("call_off", (YOUNG,), 0.02, "none"),
    ("signpost", (ADULT,), 0.005, "none"),
)
_FEES = (0.08, 0.10, 0.09, 0.12, 0.11, 0.13, 0.10)
_NUMBERS = {
    "EXAMPLE-SOUTH-3": range(1, 7),
    "EXAMPLE-NORTH-1": range(7, 19),
    "EXAMPLE-NORTH-2": range(19, 31),
    "EXAMPLE-NORTH-3": range(31, 43),
    "EXAMPLE-SOUTH-1": range(43, 55),
    # three of its own, the second spelling, and eight that also work in other contracts
    "EXAMPLE-SOUTH-2": (55, 56, 57, OTHER_SPELLING, 8, 16, 20, 27, 33, 40, 47, 52),
}

# The planted truths, by their number in answers.csv.
FAIR_PRIME = ("EXAMPLE-NORTH-3", subcontractor(58))  # 1
BID_CANDY = ("EXAMPLE-NORTH-2", subcontractor(59))  # 2
SMALL_PROMISE = ("EXAMPLE-SOUTH-2", subcontractor(60))  # 3
NO_CONSENT = ("EXAMPLE-NORTH-2", subcontractor(23))  # 4
HIGHER_FEE = ("EXAMPLE-SOUTH-2", subcontractor(55))  # 5
SLOW_CASH = ("EXAMPLE-NORTH-1", subcontractor(12))  # 6
ONE_SIDED = ("EXAMPLE-SOUTH-1", subcontractor(44))  # 7
SILENT = ("EXAMPLE-SOUTH-3", subcontractor(3))  # 10
ONE_SIDED_COUNT = 12


def _planted(agreement: Agreement) -> Agreement:
    """The agreement with what was planted in it."""
    match (agreement.contract_id, agreement.subcontractor_id):
        case key if key == NO_CONSENT:
            return replace(agreement, consented=False)
        case key if key == HIGHER_FEE:
            return replace(agreement, fee=0.14, charged_fee=0.22)
        case key if key == SLOW_CASH:
            return replace(agreement, fee=0.15, growing=True, paid_after_days=15)
    return agreement


def _ordinary() -> list[Agreement]:
    return [
        _planted(
            Agreement(
                contract_id,
                subcontractor(number),
                *recipe,
                fee=_FEES[(number + place) % len(_FEES)],
            )
        )
        for contract_id, numbers in _NUMBERS.items()
        for place, (number, recipe) in enumerate(zip(numbers, _RECIPE, strict=False))
    ]


AGREEMENTS = tuple(
    sorted(
        [
            *_ordinary(),
            Agreement(*FAIR_PRIME, "specialist", (EX_IB,), 0.042, actual_share=0.0),
            Agreement(*BID_CANDY, "specialist", (ADULT,), 0.02, fee=0.12, actual_share=0.0),
            Agreement(
                *SMALL_PROMISE,
                "specialist",
                (YOUNG,),
                0.005,
                actual_share=0.0,
                forecast_months=(4, 12),
            ),
        ],
        key=lambda agreement: (agreement.contract_id, agreement.subcontractor_id),
    )
)

NIL_REPORTERS = (FAIR_PRIME[1], BID_CANDY[1])
REFERRAL_REPORTERS = tuple(
    subcontractor(number)
    for number in range(1, 62)
    if (number % 3 and number not in (58, 59)) or number in (6, 12)
)
PAYMENT_REPORTERS = tuple(
    subcontractor(number)
    for number in range(1, 62)
    if (number % 3 == 1 and number != 58) or number == 12
)
HALF_YEAR_REPORTERS = (prime(2), subcontractor(8), subcontractor(20), subcontractor(47))


def contract_named(contract_id: str) -> Contract:
    """The contract of that id."""
    return next(contract for contract in CONTRACTS if contract.contract_id == contract_id)


def price_pence(group: str, payment_type: str, fee: float = 0.0) -> int:
    """What is paid for an event after a management fee, in whole pence, halves rounded up."""
    full = PRICES_PENCE[group][PAID_EVENTS.index(payment_type)]
    return (full * (1000 - round(fee * 1000)) + 500) // 1000
