"""Plain pages: HTML without any script, in the colours of the dashboard, light and dark."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse

from dashboard import theme
from dashboard.words import text

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLOURS = theme.options()
_NAMES = {
    "ground": "backgroundColor",
    "raised": "secondaryBackgroundColor",
    "ink": "textColor",
    "link": "linkColor",
    "button": "primaryColor",
    "line": "borderColor",
}


def _variables(shade: str) -> str:
    return "".join(f"--{name}:{_COLOURS[f'theme.{shade}.{key}']};" for name, key in _NAMES.items())


# Edges of fields and the mark of a notice stand out 3 to 1 on both grounds.
STYLE = f"""
:root {{ color-scheme: light dark; --edge:{theme.FORECAST}; --bad:{theme.RULE};
  --good:{theme.STATUS_COLOURS["clear"]}; {_variables("light")} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables("dark")} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 "Source Sans", system-ui, sans-serif; }}
main {{ max-width: 34rem; margin: 0 auto; padding: 4rem 1.25rem 3rem; }}
.brand {{ margin: 0; font-weight: 650; letter-spacing: .01em; opacity: .85; }}
h1 {{ font-size: 2.1rem; font-weight: 650; line-height: 1.2; margin: .4rem 0 1.2rem; }}
h2 {{ font-size: 1.15rem; font-weight: 600; margin: 1.8rem 0 .6rem; }}
h3 {{ font-size: 1rem; font-weight: 600; margin: 1.2rem 0 .5rem; }}
p {{ margin: .6rem 0; overflow-wrap: anywhere; }}
label {{ display: block; font-weight: 600; margin: 1.1rem 0 .3rem; }}
.hint {{ font-weight: 400; font-size: .92rem; margin: 0 0 .3rem; opacity: .85; }}
input {{ width: 100%; font: inherit; color: inherit; background: var(--ground);
  padding: .6rem .7rem; border: 1px solid var(--edge); border-radius: .4rem; }}
button, a.button {{ display: inline-block; font: inherit; font-weight: 600; cursor: pointer;
  color: #ffffff; background: var(--button); border: 1px solid var(--button); border-radius: .4rem;
  padding: .6rem 1.1rem; margin-top: 1.3rem; text-decoration: none; }}
button.quiet, a.quiet {{ color: var(--ink); background: var(--raised); border-color: var(--edge); }}
ul.choices {{ list-style: none; margin: 0; padding: 0; display: grid; gap: .5rem; }}
ul.choices button {{ margin: 0; width: 100%; text-align: left; font-weight: 500; }}
a {{ color: var(--link); }}
:focus-visible {{ outline: 3px solid var(--link); outline-offset: 2px; }}
.notice {{ border-left: 4px solid var(--bad); border-radius: .4rem; padding: .75rem 1rem;
  background: color-mix(in srgb, var(--bad) 10%, transparent); }}
.notice.good {{ border-color: var(--good);
  background: color-mix(in srgb, var(--good) 12%, transparent); }}
.notice p {{ margin: 0; }}
hr {{ border: 0; border-top: 1px solid var(--line); margin: 2rem 0 1rem; }}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def notice(sentence: str, kind: str = "bad") -> str:
    """A sentence to take note of, as HTML: "bad" or "good"."""
    if not sentence:
        return ""
    role = "alert" if kind == "bad" else "status"
    return f'<div class="notice {kind}" role="{role}"><p>{text(sentence)}</p></div>'


def page(
    heading: str,
    body: str,
    status: int = 200,
    *,
    refused: str = "",
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page with one heading; `body` is HTML, `refused` the sentence that says what went wrong."""
    title = f"Error: {heading}" if refused else heading
    content = (
        '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)} - Fairtier</title>"
        f'<link rel="icon" href="/favicon.png"><style>{STYLE}</style></head>'
        f'<body><main><p class="brand">Fairtier</p><h1>{text(heading)}</h1>'
        f"{notice(refused)}{body}</main></body></html>"
    )
    policy = {"content-security-policy": CONTENT_SECURITY_POLICY}
    return HTMLResponse(content, status, headers={**policy, **(headers or {})})
