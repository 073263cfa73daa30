"""A small warehouse of attendees, a few of them bad in different ways."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_FIRST = ["Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances", "Alan", "Margaret", "Niklaus", "Radia"]
_LAST = ["Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel"]


def make_warehouse(path: Path) -> int:
    """
    Fill a SQLite file with attendees.

    :param path: the file; made anew.
    :return: how many rows it holds.
    """
    path.unlink(missing_ok=True)
    rows = [
        (f"crm-{number:06}", first, last, f"{first}.{last}@example.org".lower())
        for number, (last, first) in enumerate(((last, first) for last in _LAST for first in _FIRST), start=1)
    ]
    rows[11] = ("", *rows[11][1:])
    rows[23] = (rows[22][0], *rows[23][1:])
    rows[35] = rows[34]
    rows[47] = ("Zoë / 100% #1+1 👋", *rows[47][1:])
    with closing(sqlite3.connect(path)) as warehouse, warehouse:
        warehouse.execute("CREATE TABLE attendees (signed_up_at INTEGER PRIMARY KEY, id, first_name, last_name, email)")
        warehouse.executemany("INSERT INTO attendees (id, first_name, last_name, email) VALUES (?, ?, ?, ?)", rows)
        warehouse.execute(
            "CREATE TABLE webinar_attendees (signed_up_at INTEGER PRIMARY KEY, id, first_name, last_name, email)"
        )
        warehouse.executemany(
            "INSERT INTO webinar_attendees (id, first_name, last_name, email) VALUES (?, ?, ?, ?)",
            [
                (f"web-{number}", first, "Web", f"{first}.web@example.org".lower())
                for number, first in enumerate(_FIRST[:5])
            ],
        )
    return len(rows)
