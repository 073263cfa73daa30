"""
Draw what the doctor prints: ``python -m dev.doctor_picture`` writes docs/doctor.svg.

The picture is made from a run of the command against the emulator, which needs Airflow.
"""

from __future__ import annotations

import contextlib
import html
import io
import json
import os
import re
import textwrap
from pathlib import Path

from rich.console import Console
from rich.text import Text

from airflow_provider_teams_registration.cli import main
from airflow_provider_teams_registration.emulator.server import Emulator

PICTURE = Path(__file__).parent.parent / "docs" / "doctor.svg"
ROLES = "VirtualEvent.Read.All OnlineMeetingArtifact.Read.All"
"""The permissions of the application in the picture. The one to register people is missing."""

_SHOWN_AS = "https://127.0.0.1:8443"
_WIDTH = 132
_COLORS = {"fine": "green", "missing": "bold red", "cannot be told": "yellow"}
_LINE = re.compile(r"(?P<check>\S.*?)  +(?P<verdict>fine|missing(?: \(optional\))?|cannot be told)(?P<rest>  .*)")
_FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <title>What teams-registration doctor prints: one line for each check</title>
    <style>
    .{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px;
      line-height: {line_height}px; }}
    .{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: arial; }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
    <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">{matrix}</g>
    </g>
</svg>
"""


def output(emulator: Emulator) -> str:
    """
    Return what the doctor prints about a webinar whose people may not be registered yet.

    :param emulator: the emulator, as it is after a reset.
    """
    emulator.set_switches(roles=ROLES)
    emulator.store.webinars.register(emulator.webinar_id, "ada@example.org")
    os.environ["AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT"] = json.dumps(emulator.connection())
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(["doctor", "--webinar-id", emulator.webinar_id])
    return printed.getvalue().replace(emulator.url, _SHOWN_AS)


def picture(printed: str) -> str:
    """
    Return the picture of what the doctor printed.

    :param printed: the text.
    """
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    for line in printed.splitlines():
        for shown in _folded(line):
            console.print(_colored(shown), soft_wrap=True)
    return console.export_svg(title="teams-registration doctor", code_format=_FORMAT, unique_id="doctor")


def shown_text(svg: str) -> str:
    """
    Return the text of a picture, without white space.

    :param svg: the picture.
    """
    texts = re.findall(r"<text[^>]*-r\d[^>]*>(.*?)</text>", svg, re.DOTALL)
    return re.sub(r"\s", "", html.unescape("".join(texts)))


def _folded(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, _WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _colored(line: str) -> Text:
    found = _LINE.match(line)
    if found is None:
        return Text(line, style="cyan" if "-> " in line or not line.startswith(" " * 20) else "")
    text = Text(line)
    text.stylize(_COLORS[found["verdict"].removesuffix(" (optional)")], *found.span("verdict"))
    text.stylize("bold", *found.span("check"))
    return text


if __name__ == "__main__":
    with Emulator() as _emulator:
        PICTURE.write_text(picture(output(_emulator)), encoding="utf-8")
