"""What Streamlit runs at every visit and every click: the frame round the page asked for."""

from __future__ import annotations

import streamlit as st

from dashboard.theme import STYLE
from dashboard.views import asked, markup
from dashboard.views.navigation import NAMES, page
from data.errors import UserError

st.set_page_config(page_title="Fairtier", layout="wide", menu_items={})
st.html(STYLE)
chosen = st.navigation([page(name) for name in NAMES], position="top")
try:
    asked.marked()
    chosen.run()
except UserError as error:
    markup.notice("bad", str(error))
