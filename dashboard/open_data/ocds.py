"""The contracts in the Open Contracting Data Standard (OCDS) 1.1, as a release package.

One OCDS release for each contract: the commissioner is the buyer, the prime the supplier of one
award, and the award's subcontracts name the subcontractors, by the Subcontracting extension
(https://extensions.open-contracting.org/en/extensions/subcontracting/). Figures, flags and what an
agreement says have no place in OCDS; they are in the tables.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from dashboard.open_data.release import day_of
from data.errors import BadOption

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from dashboard.open_data.release import OpenRelease

VERSION = "1.1"
SUBCONTRACTING = (
    "https://raw.githubusercontent.com/open-contracting-extensions/ocds_subcontracting_extension/"
    "master/extension.json"
)
PLACEHOLDER_PREFIX = "ocds-xxxxxx"  # every publisher registers one of its own

_PREFIX = re.compile(r"ocds-[a-z0-9]{6}")
_ADDRESS = re.compile(r"https?://[^\s\"<>\\^`{|}]+")
# A list of org-id.guide is named by country and list: GB-CHC, GB-COH, CA_ON-BRN.
_ORG_ID = re.compile(r"([A-Z]{2}(?:_[A-Z0-9]+)?-[A-Z0-9_]+)-(.+)", re.DOTALL)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "standard.open-contracting.org")


def check_prefix(prefix: str) -> None:
    """BadOption unless it has the form of a prefix that OCDS registers."""
    if not _PREFIX.fullmatch(prefix):
        raise BadOption(
            f'We read "{prefix}" as the OCDS prefix. It is ocds- and the six letters or digits '
            "that the Open Contracting Partnership gave you, such as ocds-213czf."
        )


def check_address(address: str) -> None:
    """BadOption unless it is empty or an address on the web."""
    if address and not _ADDRESS.fullmatch(address):
        raise BadOption(
            f'We read "{address}" as the address of the release on the web. Write it like '
            "https://www.example.org/open-data/."
        )


def identifier(organisation_id: str) -> dict[str, str]:
    """An id of org-id.guide in its two parts: GB-CHC and 1164883; another id as it is."""
    found = _ORG_ID.fullmatch(organisation_id)
    return {"scheme": found[1], "id": found[2]} if found else {"id": organisation_id}


def ocds_package(
    release: OpenRelease,
    prefix: str = PLACEHOLDER_PREFIX,
    address: str = "",
    earlier_contracts: Collection[str] = (),
) -> dict[str, Any]:
    """The contracts of a release as an OCDS release package.

    `address` is where the file will be found on the web; without one the package is named by a
    URN of its own. `earlier_contracts` were in the release before, so theirs are updates.
    """
    check_prefix(prefix)
    publisher = identifier(release.publisher_id)
    name = f"{release.publisher_id} {release.release_id}"
    return {
        "uri": address or uuid.uuid5(_NAMESPACE, name).urn,
        "version": VERSION,
        "extensions": [SUBCONTRACTING],
        "publishedDate": _moment(release.made_on),
        "publisher": {
            "name": release.publisher_name,
            **({"scheme": publisher["scheme"]} if "scheme" in publisher else {}),
            "uid": publisher["id"],
        },
        "license": release.licence.address,
        "releases": [
            _release(release, row, prefix, str(row["contract_id"]) in earlier_contracts)
            for row in release.rows_of("contracts")
        ],
    }


def ocds_bytes(told: dict[str, Any]) -> bytes:
    """The package as a file."""
    return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()


def _release(
    release: OpenRelease, contract: dict[str, object], prefix: str, is_update: bool
) -> dict[str, Any]:
    names = release.names()
    contract_id = str(contract["contract_id"])
    commissioner, prime = str(contract["commissioner_id"]), str(contract["prime_id"])
    subcontractors = sorted(
        {
            str(row["subcontractor_id"])
            for row in release.rows_of("agreements")
            if row["contract_id"] == contract_id
        }
    )
    roles: dict[str, list[str]] = {}
    for organisation_id, role in (
        (commissioner, "buyer"),
        (prime, "supplier"),
        *((one, "subcontractor") for one in subcontractors),
    ):
        roles.setdefault(organisation_id, []).append(role)

    def reference(organisation_id: str) -> dict[str, str]:
        return {"id": organisation_id, "name": names.get(organisation_id, organisation_id)}

    ocid = f"{prefix}-{contract_id}"
    award_id = f"{contract_id}-award"
    area = contract.get("contract_package_area")
    title = ", ".join(str(part) for part in (contract.get("programme"), area) if part)
    period = _period(contract)
    award: dict[str, Any] = {
        "id": award_id,
        "status": "active",
        "suppliers": [reference(prime)],
        "hasSubcontracting": bool(subcontractors),
    }
    held: dict[str, Any] = {
        "id": contract_id,
        "awardID": award_id,
        "status": _status(contract, release.as_of),
    }
    if title:
        award["title"] = held["title"] = title
    if period:
        award["contractPeriod"] = held["period"] = period
    if subcontractors:
        award["subcontracting"] = {
            "subcontracts": [
                {"id": f"{contract_id}/{one}", "subcontractor": reference(one)}
                for one in subcontractors
            ]
        }
    return {
        "ocid": ocid,
        "id": f"{ocid}-{release.release_id}".replace("#", "_"),
        "date": _moment(release.made_on),
        "tag": ["awardUpdate", "contractUpdate"] if is_update else ["award", "contract"],
        "initiationType": "tender",
        "language": "en",
        "parties": [
            {**reference(one), "identifier": identifier(one), "roles": its_roles}
            for one, its_roles in roles.items()
        ],
        "buyer": reference(commissioner),
        "awards": [award],
        "contracts": [held],
    }


def _period(contract: dict[str, object]) -> dict[str, str]:
    starts_on, ends_on = (day_of(contract.get(name)) for name in ("starts_on", "ends_on"))
    period = {}
    if starts_on:
        period["startDate"] = _moment(starts_on)
    if ends_on:
        period["endDate"] = f"{ends_on.isoformat()}T23:59:59Z"
    return period


def _status(contract: dict[str, object], as_of: dt.date) -> str:
    """Whether it had begun, was running or had ended on the day."""
    starts_on, ends_on = (day_of(contract.get(name)) for name in ("starts_on", "ends_on"))
    if starts_on and starts_on > as_of:
        return "pending"
    return "terminated" if ends_on and ends_on < as_of else "active"


def _moment(day: dt.date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
