"""What a prime promised to which subcontractor."""

from data.table import Column, Table

AGREEMENTS = Table(
    id="agreements",
    title="Agreements",
    description="One subcontractor in one contract, with what it was promised.",
    grain="one row per agreement (contract and subcontractor)",
    key=("contract_id", "subcontractor_id"),
    columns=(
        Column("contract_id", "id", "The contract.", "WP-01-A", required=True),
        Column("subcontractor_id", "id", "The subcontractor.", "GB-CHC-1164883", required=True),
        Column("tier", "count", "Tier in the scheme named beside it.", "2"),
        Column("tier_scheme", "text", "The scheme that the tier belongs to.", "Work Programme"),
        Column(
            "delivery_role",
            "choice",
            "What the subcontractor delivers.",
            "specialist",
            required=True,
            choices=("end_to_end", "specialist", "call_off", "signpost"),
        ),
        Column(
            "named_in_bid",
            "yes_no",
            "Whether the prime named it in the bid.",
            "yes",
            required=True,
        ),
        Column(
            "consented_on",
            "date",
            "Day it agreed in writing to be named.",
            "2011-02-14",
            empty_means="no consent is recorded",
        ),
        Column(
            "live_on",
            "date",
            "Day from which it was to receive referrals.",
            "2011-07-01",
            empty_means="from the first day of the contract",
        ),
        Column(
            "ends_on",
            "date",
            "Last day of the agreement.",
            "2014-03-31",
            empty_means="when the contract ends",
        ),
        Column(
            "promised_share",
            "rate",
            "Share of the contract's referrals that it was promised.",
            "0.08",
            empty_means="no share was promised",
        ),
        Column(
            "agreed_management_fee",
            "rate",
            "Management fee written into the agreement.",
            "12%",
            stored_as="agreed_management_fee_rate",
            empty_means="no fee is written down",
        ),
        Column(
            "at_risk_share",
            "rate",
            "Share of the subcontractor's income that depends on results.",
            "0.80",
        ),
        Column(
            "prime_at_risk_share",
            "rate",
            "Share of the prime's income for the same work that depends on results.",
            "0.80",
        ),
        Column(
            "payment_terms_days",
            "count",
            "Days within which an invoice is to be paid.",
            "30",
        ),
    ),
)
