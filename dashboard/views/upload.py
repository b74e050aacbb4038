"""Upload: check a file, mend it, and record it as a return."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from checks.annotated import annotated_workbook
from dashboard import session
from dashboard.trail import note_recorded, note_refused
from dashboard.views import markup
from dashboard.words import day, months_covered, text
from data.errors import UserError
from data.scope import NOT_SHOWN
from data.tables import TABLES
from data.templates import csv_template, xlsx_template
from metrics.wording import count, figure

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from checks.definition import Finding
    from dashboard.service import Draft
    from data.ledger import Receipt
    from data.returns import Return
    from data.table import Table

_MOST_ROWS = 12
_STAGES = {
    "reading": "Reading the file",
    "checking": "Checking every row",
    "storing the rows": "Storing the rows",
    "recording the return": "Recording the return",
}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def show() -> None:
    """The page."""
    st.title("Upload a return")
    markup.lead(
        "Choose who reports what, and add the file. It is checked at once; nothing is stored "
        "until you submit."
    )
    question = session.question()
    registers = session.registers(question) if question.version else None
    scope = question.scope
    if scope.role == "public":
        markup.notice("plain", NOT_SHOWN)
        return
    done = st.session_state.pop("receipt", None)
    if done is not None:
        _receipt(done)
    names = registers.names if registers else {}
    if not scope.sees_everything:
        own = str(scope.organisation_id)
        names = {own: names.get(own, own)}
    reporter_id, table = _who_and_what(names)
    covers, nil = _months(table)
    if nil:
        _submit_nil(table, reporter_id, covers)
    else:
        _check_and_submit(table, reporter_id, covers)
    _history(question, registers)


def _who_and_what(names: dict[str, str]) -> tuple[str | None, Table]:
    st.header("1. Who reports what")
    first, second = st.columns(2)
    if names:
        reporter_id = first.selectbox(
            "Reporting organisation",
            sorted(names, key=lambda one: names[one].casefold()),
            index=0 if len(names) == 1 else None,
            format_func=lambda one: f"{names.get(one, one)} · {one}" if one in names else one,
            placeholder="Choose who sends the return",
            key="reporter",
            filter_mode="contains",
        )
    else:
        reporter_id = first.text_input(
            "Reporting organisation",
            placeholder="GB-CHC-1164883",
            help="Its identifier. Whoever records the first register of organisations keeps "
            "this ledger.",
            key="reporter",
        ).strip()
    table_id = second.selectbox(
        "Table",
        list(TABLES),
        format_func=lambda one: TABLES[one].title,
        index=list(TABLES).index("referrals") if names else 0,
        key="table",
    )
    table = TABLES[table_id]
    words, excel, csv = st.columns([3, 1, 1], vertical_alignment="center")
    needed = ", ".join(f"<code class=ft>{text(name)}</code>" for name in table.required_ids)
    words.html(
        f'<p class="ft-small">{text(table.description)} Columns it cannot do without: {needed}.</p>'
    )
    excel.download_button(
        "Excel template",
        xlsx_template(table),
        file_name=f"{table.id}.xlsx",
        mime=_XLSX,
        on_click="ignore",
        width="stretch",
    )
    csv.download_button(
        "CSV template",
        csv_template(table),
        file_name=f"{table.id}.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
    )
    return reporter_id or None, table


def _months(table: Table) -> tuple[str | None, bool]:
    st.header("2. The file")
    if table.is_register:
        markup.paragraph(
            "A register is replaced as a whole, so it covers no particular months.", quiet=True
        )
        return None, False
    covers = st.text_input(
        "Months covered (optional)",
        placeholder="2011-06..2012-03",
        help="First and last month. Leave empty to take them from the rows; write them if you "
        "had nothing to report in some of them.",
        key=f"covers-{table.id}",
    ).strip()
    nil = not table.version and st.checkbox(
        "Nil return: there was nothing to report in these months", key=f"nil-{table.id}"
    )
    return covers or None, nil


def _check_and_submit(table: Table, reporter_id: str | None, covers: str | None) -> None:
    turn = st.session_state.setdefault("turn", 0)
    file = st.file_uploader(
        f"The file of {table.title.lower()}: CSV or a spreadsheet, at most 50 MB",
        type=["csv", "tsv", "txt", "xlsx", "xls", "ods"],
        key=f"file-{table.id}-{turn}",
    )
    if file is None:
        st.session_state.pop("draft", None)
        return
    draft = _draft(table, file, reporter_id, covers)
    if draft is None:
        return
    _verdict(draft)
    if not draft.verdict.fit:
        return
    st.header("4. Submit")
    if reporter_id is None:
        markup.notice(
            "plain",
            "The file is fit. Choose the reporting organisation above to submit it.",
        )
        return
    _confirm_and_record(draft)


def _draft(
    table: Table, file: UploadedFile, reporter_id: str | None, covers: str | None
) -> Draft | None:
    mark = (table.id, file.file_id, reporter_id, covers, session.question().version)
    known = st.session_state.get("draft")
    if known is not None and known[0] == mark:
        drafted: Draft = known[1]
        return drafted
    refusal: UserError | None = None
    with st.status("Reading the file", expanded=False) as status:
        try:
            draft = session.service().examine(
                table.id,
                (file.name, file.getvalue()),
                by=reporter_id,
                covers=covers,
                progress=lambda stage: status.update(label=_STAGES.get(stage, stage)),
            )
        except UserError as error:
            status.update(label="The file could not be checked", state="error")
            refusal = error
        else:
            status.update(label="Checked", state="complete")
    if refusal is not None:
        # Below the box of the stages, which is closed: it must be seen.
        st.session_state.pop("draft", None)
        markup.notice("bad", str(refusal))
        return None
    refusals = sum(finding.severity == "refuse" for finding in draft.verdict.findings)
    if refusals and reporter_id and session.is_shared():
        note_refused(
            session.database(), table.id, reporter_id, refusals, **session.person().signature()
        )
    st.session_state["draft"] = (mark, draft)
    return draft


def _verdict(draft: Draft) -> None:
    verdict = draft.verdict
    refusals = [f for f in verdict.findings if f.severity == "refuse"]
    warnings = verdict.warnings
    st.header("3. What the checks say")
    rows = count(verdict.rows, "row")
    if refusals:
        markup.notice(
            "bad",
            f"{rows} read; {count(len(refusals), 'finding')} to mend before the file can be "
            "submitted. Nothing was stored.",
        )
    elif warnings:
        markup.notice(
            "warn",
            f"{rows} read. The file is fit, with {count(len(warnings), 'warning')} to look at.",
        )
    else:
        markup.notice("good", f"{rows} read. The file is fit: nothing to mend.")
    if draft.months and not draft.table.is_register:
        markup.paragraph(f"Months covered: {months_covered(draft.months)}.", quiet=True)
    for note in verdict.notices:
        markup.paragraph(note, quiet=True)
    for heading, found in (("To mend", refusals), ("Warnings", warnings)):
        if found:
            st.subheader(heading)
        for number, finding in enumerate(found):
            with st.container(border=True, key=f"finding-{heading}-{number}"):
                st.html(_finding_html(finding))
    if verdict.findings and draft.sheet is not None:
        st.download_button(
            "Download the file with the findings marked in it",
            annotated_workbook(draft.sheet, verdict),
            file_name="findings.xlsx",
            mime=_XLSX,
            on_click="ignore",
        )


def _finding_html(finding: Finding) -> str:
    refused = finding.severity == "refuse"
    chip = markup.chip("raised", "Refused") if refused else markup.chip("watch", "Warning")
    rows = ", ".join(str(row) for row in finding.rows[:_MOST_ROWS])
    if len(finding.rows) > _MOST_ROWS:
        rows += f" and {figure(len(finding.rows) - _MOST_ROWS)} more"
    shown = "".join(
        f"<tr><th scope=row>{text(one['row'])}</th><td><code class=ft>"
        f"{text(one['value']) if one['value'] else '(empty)'}</code></td></tr>"
        for one in finding.examples
    )
    table = (
        "<details><summary>What we read</summary>"
        "<table class=ft><thead><tr><th scope=col>Row</th><th scope=col>Cell</th></tr></thead>"
        f"<tbody>{shown}</tbody></table></details>"
        if shown
        else ""
    )
    return (
        f'<div class="ft-card">{chip}<h3>{text(finding.message)}</h3>'
        f"<p>{text(finding.remedy)}</p>"
        + (f'<p class="ft-small ft-quiet">Rows: {rows}</p>' if rows else "")
        + f"{table}</div>"
    )


def _confirm_and_record(draft: Draft) -> None:
    to_read = [*draft.effects]
    if to_read:
        markup.notice("warn", *to_read)
    agreed = True
    if to_read or draft.verdict.warnings:
        what = " and ".join(
            name
            for name, there in (("the warnings", draft.verdict.warnings), ("the notes", to_read))
            if there
        )
        agreed = st.checkbox(
            f"I have read {what} and want to submit the return as it is",
            key=f"agreed-{draft.sheet.sha256[:12] if draft.sheet else draft.months}-"
            f"{draft.reporter_id}-{draft.table.id}",
        )
    label = "Submit the return" if draft.sheet else "Submit the nil return"
    if not st.button(label, type="primary", disabled=not agreed):
        return
    refusal: UserError | None = None
    with st.status("Storing the rows") as status:
        try:
            receipt = session.service().record(
                draft, progress=lambda stage: status.update(label=_STAGES.get(stage, stage))
            )
        except UserError as error:
            status.update(label="Nothing was recorded", state="error")
            refusal = error
    if refusal is not None:
        markup.notice("bad", str(refusal))
        return
    if session.is_shared():
        note_recorded(session.database(), receipt, **session.person().signature())
    _done(receipt)


def _submit_nil(table: Table, reporter_id: str | None, covers: str | None) -> None:
    st.header("3. Submit")
    markup.paragraph(
        "A nil return says that there was nothing to report in the months covered: they count as "
        "none, not as not reported."
    )
    if not (reporter_id and covers):
        markup.notice(
            "plain", "Choose the reporting organisation and write the months covered first."
        )
        return
    try:
        draft = session.service().examine_nil(table.id, by=reporter_id, covers=covers)
    except UserError as error:
        markup.notice("bad", str(error))
        return
    _confirm_and_record(draft)


def _done(receipt: Receipt) -> None:
    st.session_state["receipt"] = receipt
    st.session_state["turn"] = st.session_state.get("turn", 0) + 1
    st.session_state.pop("draft", None)
    st.rerun()


def _receipt(receipt: Receipt) -> None:
    entry = receipt.entry
    what = "a nil return" if entry.nil else count(entry.row_count, "row")
    if receipt.already:
        markup.notice(
            "plain",
            f"This return is already recorded, since {day(entry.recorded_at.date())}, as "
            f"{entry.return_id}. Nothing changed.",
        )
        return
    proof = () if entry.nil else (f"SHA-256 of the file as received: {entry.file_sha256}",)
    markup.notice(
        "good",
        f"Recorded as return {entry.return_id}: {what} of {entry.table} by {entry.reporter_id}, "
        f"for {months_covered(entry.months)}.",
        f"It replaces {', '.join(entry.replaced)} there."
        if entry.replaced
        else "It replaces no earlier return.",
        *proof,
    )


def _history(question: session.Question, registers: session.Registers | None) -> None:
    st.header("Returns so far")
    entries: tuple[Return, ...] = session.history(question)
    if not entries:
        markup.paragraph("None yet.")
        return
    rows = [
        {
            "Received": entry.received_on,
            "From": registers.name(entry.reporter_id) if registers else entry.reporter_id,
            "Table": TABLES[entry.table].title,
            "Covers": months_covered(entry.months),
            "Rows": "nil" if entry.nil else figure(entry.row_count),
            "File": entry.file_name,
            "Replaced": ", ".join(entry.replaced),
            "Return": entry.return_id,
            "SHA-256": "" if entry.nil else entry.file_sha256,
        }
        for entry in reversed(entries)
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height=360,
        column_config={"Received": st.column_config.DateColumn(format="DD/MM/YYYY")},
        alt=f"{count(len(entries), 'return')}, the latest first: who, what, which months, what "
        "they replaced.",
    )
