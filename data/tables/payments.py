"""What was earned, received and paid on."""

from data.table import Column, Table
from data.tables.referrals import CLIENT_REF

PAYMENT_TYPES = ("attachment_fee", "job_outcome", "sustainment", "service_fee", "adjustment")

PAYMENTS = Table(
    id="payments",
    title="Payments",
    description="Each payable event: what the commissioner paid for it and what of that is the "
    "subcontractor's.",
    grain="one row per payable event",
    key=("payment_id",),
    month_of="earned_on",
    columns=(
        Column("payment_id", "id", "The reporter's own id of the row.", "P-000456", required=True),
        Column("contract_id", "id", "The contract.", "WP-01-A", required=True),
        Column(
            "subcontractor_id",
            "id",
            "The subcontractor that did the work.",
            "GB-CHC-1164883",
            required=True,
        ),
        Column(
            "payment_type",
            "choice",
            "The payable event; a correction is a separate row of type adjustment.",
            "job_outcome",
            required=True,
            choices=PAYMENT_TYPES,
        ),
        Column("client_group", "text", "The payment group of the client.", "JSA 25+"),
        CLIENT_REF,
        Column("earned_on", "date", "Day the payment was earned.", "2012-01-20", required=True),
        Column(
            "commissioner_amount",
            "money",
            "Pounds the commissioner paid the prime for the event; filled by the prime.",
            "1200.00",
            empty_means="not known to the reporter",
        ),
        Column(
            "received_on",
            "date",
            "Day the prime received the commissioner's money; filled by the prime.",
            "2012-02-20",
            empty_means="not received, or not known to the reporter",
        ),
        Column(
            "subcontractor_amount",
            "money",
            "Pounds payable to the subcontractor for the event.",
            "1020.00",
            required=True,
        ),
        Column(
            "invoiced_on",
            "date",
            "Day a valid invoice reached the prime.",
            "2012-02-01",
        ),
        Column(
            "paid_on",
            "date",
            "Day the subcontractor was paid.",
            "2012-03-02",
            empty_means="not paid yet",
        ),
    ),
)
