"""What Streamlit runs at every visit and every click: the frame round the page asked for."""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.theme import STYLE
from dashboard.views import asked, markup
from dashboard.views.navigation import NAMES, names_for, page
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
if st.session_state.setdefault("session_id", person.session_id) != person.session_id:
    # Somebody else signed in where a page was left open: nothing of it is theirs.
    st.session_state.clear()
    st.session_state["session_id"] = person.session_id
names = names_for(person, session.is_shared())
chosen = st.navigation([page(name, listed=name in names) for name in NAMES], position="top")
try:
    if person.account is not None:
        question = session.question()
        known = session.registers(question) if question.version else None
        own = person.account.organisation_id
        markup.signed_in(
            person.account.name or person.account.email, known.name(own) if known else own
        )
    asked.marked()
    chosen.run()
except UserError as error:
    markup.notice("bad", str(error))
