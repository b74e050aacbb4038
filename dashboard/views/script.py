"""What Streamlit runs at every visit and every click: the frame round the page asked for."""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.theme import STYLE
from dashboard.views import asked, markup
from dashboard.views.navigation import names_for, page
from data.errors import SignInRefused, UserError

st.set_page_config(page_title="Fairtier", layout="wide", menu_items={})
st.html(STYLE)
try:
    # Asked for anew at every run: a session that was ended elsewhere ends here with this click.
    person = session.person()
except SignInRefused as refusal:
    st.navigation([page("overview")], position="hidden")
    st.title("Signed out")
    markup.notice("warn", str(refusal))
    markup.link("/sign-in", "Sign in")
    st.stop()
names = names_for(person, session.is_shared())
chosen = st.navigation([page(name) for name in names], position="top")
try:
    if person.account is not None:
        markup.signed_in(
            person.account.name or person.account.email, person.account.organisation_id
        )
    asked.marked()
    chosen.run()
except UserError as error:
    markup.notice("bad", str(error))
