"""How many referrals were expected, in every version that was issued."""

from data.table import Column, Table

FORECASTS = Table(
    id="forecasts",
    title="Forecasts",
    description="Referrals expected in a month. A revised forecast has a new issue date and "
    "stands beside the earlier one.",
    grain="one row per forecast version, agreement (or contract), client group and month",
    key=("contract_id", "subcontractor_id", "client_group", "month", "issued_on"),
    month_of="month",
    version="issued_on",
    columns=(
        Column("contract_id", "id", "The contract.", "WP-01-A", required=True),
        Column(
            "subcontractor_id",
            "id",
            "The subcontractor.",
            "GB-CHC-1164883",
            empty_means="the forecast is for the whole contract",
        ),
        Column(
            "client_group",
            "text",
            "The payment group.",
            "JSA 25+",
            empty_means="the forecast is for all groups together",
        ),
        Column(
            "month", "month", "The month the referrals are expected in.", "2011-09", required=True
        ),
        Column(
            "referrals",
            "count",
            "Referrals expected in the month.",
            "40",
            required=True,
            stored_as="referral_count",
        ),
        Column(
            "issued_on",
            "date",
            "Day this version of the forecast was issued.",
            "2011-05-16",
            required=True,
        ),
    ),
)
