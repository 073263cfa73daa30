"""Time per person, as an image drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_LEFT, _WIDTH, _BAR, _STEP, _TOP = 360, 460, 22, 34, 64
_OURS, _OTHERS, _FAILED = "#5b5fc7", "#a9b4c2", "#d9a5a5"


def draw(results: Mapping[str, Any]) -> str:
    """Return the chart as SVG, given what ``results.json`` holds."""
    rows = [row for row in results["measures"]["online_meeting"]["rows"] if row.get("people")]
    figures = [float(row["ms per person"]) for row in rows]
    low, high = math.floor(math.log10(min(figures))), math.ceil(math.log10(max(figures)))
    height = _TOP + _STEP * len(rows) + 58
    parts = [*_head(height), *_axis(low, high, len(rows))]
    for number, (row, figure) in enumerate(zip(rows, figures, strict=True)):
        parts += _bar(number, row, figure, (math.log10(figure) - low) / ((high - low) or 1))
    about = results["machine"]
    told = (
        f"{about['CPUs']} CPUs, Python {about['Python']}, Airflow {about['apache-airflow']}, {about['measured'][:10]}"
    )
    parts.append(f'<text x="16" y="{height - 12}" fill="#777" font-size="11">{escape(told)}; make bench</text>')
    return "\n".join([*parts, "</svg>", ""])


def _head(height: int) -> Sequence[str]:
    width = _LEFT + _WIDTH + 110
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="Segoe UI, Helvetica, Arial, sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        '<text x="16" y="26" font-size="16" font-weight="600">Enrolling people from Airflow: time per person</text>',
        '<text x="16" y="46" fill="#555">Emulated Graph that takes 50 ms per call; logarithmic scale</text>',
    )


def _axis(low: int, high: int, bars: int) -> Sequence[str]:
    bottom = _TOP + _STEP * bars
    lines = []
    for power in range(low, high + 1):
        x = _LEFT + _WIDTH * (power - low) / ((high - low) or 1)
        lines.append(f'<line x1="{x:.0f}" y1="{_TOP}" x2="{x:.0f}" y2="{bottom}" stroke="#e3e3e3"/>')
        label = f"{10.0**power:g} ms"
        lines.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle" fill="#777">{label}</text>')
    return lines


def _bar(number: int, row: Mapping[str, Any], figure: float, share: float) -> Sequence[str]:
    y, length = _TOP + 6 + number * _STEP, max(_WIDTH * share, 2)
    is_ours = row["way"].startswith("(f")
    colour = _OURS if is_ours else _OTHERS
    if row["state"] != "success":
        colour = _FAILED
    weight = ' font-weight="600"' if is_ours else ""
    middle = y + _BAR - 6
    return (
        f'<text x="{_LEFT - 10}" y="{middle}" text-anchor="end"{weight}>{escape(row["way"])}</text>',
        f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="3" fill="{colour}"/>',
        f'<text x="{_LEFT + length + 8:.1f}" y="{middle}"{weight}>{figure:g} ms</text>',
    )
