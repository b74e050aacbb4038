"""The pages, who has which, and links between them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.words import literal

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

    from dashboard.session import Person

_TITLES = {
    "overview": "Overview",
    "agreement": "Agreement",
    "terms": "Compare terms",
    "letters": "Letters",
    "upload": "Upload",
    "offers": "Weigh offers",
    "method": "Method",
    "replies": "Replies",
    "members": "Members",
    "audit": "Audit",
    "account": "Your account",
}
NAMES = tuple(_TITLES)
_OF_A_SHARED_SERVER = ("replies", "members", "audit", "account")
_OF_THE_NETWORK = ("members",)
_NOT_OF_THE_PUBLIC = ("offers",)


def names_for(person: Person, shared: bool) -> list[str]:
    """The pages that somebody has, in the order of the navigation.

    A page checks again what it shows and does; leaving it out here only keeps the list short.
    """
    return [
        name
        for name in NAMES
        if (shared or name not in _OF_A_SHARED_SERVER)
        and (person.scope.sees_everything or name not in _OF_THE_NETWORK)
        and (person.scope.role != "public" or name not in _NOT_OF_THE_PUBLIC)
    ]


def page(name: str, *, listed: bool = True) -> Page:
    """The page of that name; its address is its name, the overview's is the root.

    One that is not `listed` says by itself, to whoever opens its address, why it shows nothing.
    """
    show = importlib.import_module(f"dashboard.views.{name}").show
    return st.Page(
        show,
        title=_TITLES[name],
        url_path=name,
        default=name == NAMES[0],
        visibility="visible" if listed else "hidden",
    )


def link_to_agreement(label: str, contract_id: str, subcontractor_id: str | None) -> None:
    """A link to an agreement, or to a whole contract (`subcontractor_id` None)."""
    about = {"contract": contract_id}
    if subcontractor_id is not None:
        about["subcontractor"] = subcontractor_id
    st.page_link(
        page("agreement"),
        label=literal(label),
        query_params=about,
        icon=":material/arrow_forward:",
        icon_position="right",
    )


def link_to(name: str, label: str) -> None:
    """A link to a page."""
    st.page_link(page(name), label=label)
