"""What a commissioner bought from which prime."""

from data.table import Column, Table

CONTRACTS = Table(
    id="contracts",
    title="Contracts",
    description="Each contract between a commissioner and a prime in one contract package area.",
    grain="one row per contract",
    key=("contract_id",),
    columns=(
        Column("contract_id", "id", "Identifier of the contract.", "WP-01-A", required=True),
        Column(
            "programme",
            "text",
            "The programme that the contract belongs to.",
            "Work Programme",
            required=True,
        ),
        Column("contract_package_area", "text", "The area it covers.", "West London"),
        Column(
            "commissioner_id",
            "id",
            "Organisation that buys the service.",
            "GB-GOR-D10",
            required=True,
        ),
        Column(
            "prime_id",
            "id",
            "Organisation that holds the contract; the commissioner itself where it contracts "
            "directly.",
            "GB-COH-04105827",
            required=True,
        ),
        Column("starts_on", "date", "First day of the contract.", "2011-06-01", required=True),
        Column(
            "ends_on",
            "date",
            "Last day of the contract.",
            "2016-03-31",
            empty_means="no end is fixed",
        ),
    ),
)
