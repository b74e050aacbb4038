"""Clients sent to a subcontractor, or kept by the prime."""

from data.table import Column, Table

CLIENT_REF = Column(
    "client_ref",
    "client_ref",
    "Your own mark for the client: never a name, National Insurance or NHS number. "
    "Only a keyed hash of it is stored.",
    "C-4711",
    stored_as="client_hash",
)

REFERRALS = Table(
    id="referrals",
    title="Referrals",
    description="Each client sent to a subcontractor or kept in house by the prime.",
    grain="one row per referral (or per published count of referrals)",
    key=("referral_id",),
    month_of="referred_on",
    columns=(
        Column("referral_id", "id", "The reporter's own id of the row.", "R-000123", required=True),
        Column("contract_id", "id", "The contract.", "WP-01-A", required=True),
        Column(
            "subcontractor_id",
            "id",
            "The subcontractor; the prime's own id for a client kept in house.",
            "GB-CHC-1164883",
            required=True,
        ),
        Column(
            "client_group",
            "text",
            "The payment group of the client.",
            "JSA 25+",
            required=True,
        ),
        Column("referred_on", "date", "Day of the referral.", "2011-09-05", required=True),
        Column(
            "referrals",
            "count",
            "How many referrals the row stands for.",
            "1",
            stored_as="referral_count",
            empty_means="the row is one referral",
            default="1",
        ),
        CLIENT_REF,
        Column(
            "started_on",
            "date",
            "Day the client started (attachment).",
            "2011-09-12",
            empty_means="the client has not started",
        ),
    ),
)
