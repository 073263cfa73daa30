"""The page shows what the doctor prints."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_teams_registration.cli import main
from dev.doctor_picture import PICTURE, output, picture, shown_text

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"
BLOCK = re.compile(r"(```text\n)(.*?)(```)", re.DOTALL)


def test_the_pages_example_is_what_the_doctor_prints(connect, emulator, capsys):
    emulator.set_switches(roles="VirtualEvent.Read.All")
    capsys.readouterr()
    exit_code = main(["doctor", "--webinar-id", emulator.draft_webinar_id])
    printed = capsys.readouterr().out.replace(emulator.url, "https://127.0.0.1:8443")

    assert exit_code == 1
    assert BLOCK.search(PAGE.read_text(encoding="utf-8")).group(2) == printed


def test_the_pages_picture_shows_what_the_doctor_prints(emulator, monkeypatch):
    # The run sets the connection itself, as the command that draws the picture does.
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", "")
    printed = output(emulator)

    assert shown_text(PICTURE.read_text(encoding="utf-8")) == "".join(printed.split())
    assert shown_text(picture(printed)) == "".join(printed.split())
