"""Pieces of HTML for notebooks: tables, bars and timelines with inline styles and no script.

Everything that comes from a user goes through `escape` here; a job named <script> is shown, not run. The pieces survive
nbconvert, GitHub and VS Code, which drop scripts and style sheets, and take their colours from the page they are in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from antiphon.domain import shown

CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0;border:none"
FAINT = "opacity:0.65"
MONO = "font-family:monospace"
COLOURS = {
    "Succeeded": "#009E73",
    "Available": "#009E73",
    "Failed": "#D55E00",
    "Failure(s)": "#D55E00",
    "TimedOut": "#D55E00",
    "Unavailable": "#D55E00",
    "Cancelled": "#b07d00",
    "CancellationRequested": "#b07d00",
    "Degraded": "#b07d00",
    "Executing": "#0072B2",
}
STAGES = {"compile": "#E69F00", "queue": "#bbbbbb", "execute": "#0072B2", "reconcile": "#009E73"}


class Markup(str):
    """HTML that is safe already; everything else is escaped where it is put in."""

    __slots__ = ()


def text(value: object) -> Markup:
    """`value` as HTML text."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def mono(value: object) -> Markup:
    """In the type of code: ids and bit strings."""
    return Markup(f'<span style="{MONO}">{text(value)}</span>')


def status(value: str) -> Markup:
    """A status in its colour, which the word does not depend on."""
    colour = COLOURS.get(value, "inherit")
    return Markup(f'<span style="color:{colour};font-weight:600">{text(value)}</span>')


def card(title: object, *parts: Markup) -> str:
    """A titled block: what `_repr_html_` returns."""
    body = "".join(parts)
    return f'<div style="font-size:90%"><div style="font-weight:600;margin:2px 0 6px 0">{text(title)}</div>{body}</div>'


def facts(rows: Mapping[str, object]) -> Markup:
    """Names and values, one a line; what is None or empty is left out."""
    lines = [
        f'<tr style="background:none"><th style="{CELL};{FAINT};font-weight:normal">{text(name)}</th>'
        f'<td style="{CELL}">{text(value)}</td></tr>'
        for name, value in rows.items()
        if value is not None and value != ""
    ]
    return Markup(f'<table style="border:none;border-collapse:collapse">{"".join(lines)}</table>')


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    """A table with a heading."""
    head = "".join(f'<th style="{CELL};{FAINT};font-weight:normal">{text(heading)}</th>' for heading in headings)
    body = "".join(
        '<tr style="background:none">' + "".join(f'<td style="{CELL}">{text(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return Markup(
        f'<table style="border:none;border-collapse:collapse"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def bars(counts: Mapping[str, int], top: int = 16) -> Markup:
    """The most frequent outcomes as an inline SVG histogram, the outcomes in their own order."""
    kept = sorted(sorted(counts, key=lambda key: -counts[key])[:top])
    total = sum(counts.values()) or 1
    highest = max((counts[key] for key in kept), default=1) or 1
    row, label, width = 18, 8 * max((len(key) for key in kept), default=1) + 12, 260
    lines = []
    for index, key in enumerate(kept):
        y, length = index * row, width * counts[key] / highest
        lines.append(
            f'<text x="0" y="{y + 13}" style="{MONO}">{text(key)}</text>'
            f'<rect x="{label}" y="{y + 3}" width="{length:.1f}" height="12" fill="#0072B2"/>'
            f'<text x="{label + length + 6:.1f}" y="{y + 13}">{counts[key]:,} · {counts[key] / total:.1%}</text>'
        )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{label + width + 130}" height="{len(kept) * row + 4}" '
        f'style="font-size:12px" fill="currentColor" role="img" aria-label="histogram of counts">{"".join(lines)}</svg>'
    )
    left = len(counts) - len(kept)
    more = f'<div style="{FAINT}">and {left:,} more outcomes</div>' if left else ""
    return Markup(f"<div>{drawing}</div>{more}")


def stage_bar(stages: Mapping[str, float | None]) -> Markup:
    """Where the time went, as one bar in four colours with its legend."""
    total = sum(seconds or 0.0 for seconds in stages.values())
    if total <= 0:
        return Markup("")
    at, width, pieces, legend = 0.0, 320, [], []
    for name, seconds in stages.items():
        length = width * (seconds or 0.0) / total
        pieces.append(f'<rect x="{at:.1f}" y="0" width="{length:.1f}" height="10" fill="{STAGES[name]}"/>')
        at += length
        swatch = f'<span style="color:{STAGES[name]}">■</span>'
        legend.append(f'<span style="margin-right:12px">{swatch} {text(name)} {span(seconds)}</span>')
    return Markup(
        f'<div><svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="10" role="img" '
        f'aria-label="time per stage">{"".join(pieces)}</svg></div><div style="font-size:85%">{"".join(legend)}</div>'
    )


def span(seconds: float | None) -> str:
    """A time span in words; a dash for None."""
    return "-" if seconds is None else shown.span(seconds)
