"""What is paid for which event."""

from data.table import Column, Table
from data.tables.payments import PAYMENT_TYPES

PRICES = Table(
    id="prices",
    title="Prices",
    description="What the commissioner pays the prime, and the prime each subcontractor.",
    grain="one row per price",
    key=("contract_id", "subcontractor_id", "client_group", "payment_type"),
    columns=(
        Column("contract_id", "id", "The contract.", "WP-01-A", required=True),
        Column(
            "subcontractor_id",
            "id",
            "The subcontractor that receives the price.",
            "GB-CHC-1164883",
            empty_means="what the commissioner pays the prime",
        ),
        Column(
            "client_group",
            "text",
            "The payment group the price is for.",
            "JSA 25+",
            required=True,
        ),
        Column(
            "payment_type",
            "choice",
            "The payable event.",
            "job_outcome",
            required=True,
            choices=PAYMENT_TYPES,
        ),
        Column("price", "money", "Pounds for one event.", "1200.00", required=True),
    ),
)
