"""Who takes part in the supply chains."""

from data.table import Column, Table

ORGANISATIONS = Table(
    id="organisations",
    title="Organisations",
    description="Every commissioner, prime, subcontractor and network, with one id each.",
    grain="one row per organisation",
    key=("organisation_id",),
    columns=(
        Column(
            "organisation_id",
            "id",
            "Identifier of the organisation, as in org-id.guide: GB-CHC- and the charity number, "
            "or GB-COH- and the company number. It stays the same when the name changes.",
            "GB-CHC-1164883",
            required=True,
        ),
        Column("name", "text", "The organisation's name.", "Example Housing Trust", required=True),
        Column(
            "sector",
            "choice",
            "Whether it is a voluntary, private or public organisation.",
            "voluntary",
            required=True,
            choices=("voluntary", "private", "public"),
        ),
    ),
)
