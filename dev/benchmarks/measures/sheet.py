"""What a measure found: printed as a table, kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Sheet:
    """
    One measure's table.

    :param key: its name in ``results.json``.
    :param title: what was measured.
    :param rows: a figure by column's name; the first row has all columns.
    :param notes: what a reader must know to read the figures rightly.
    """

    key: str
    title: str
    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = ()

    def print(self, console: Console) -> None:
        """Print it."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        table = Table(title=self.title, title_justify="left", title_style="bold")
        for name in names:
            is_text = any(isinstance(row.get(name), str) for row in self.rows)
            table.add_column(name, justify="left" if is_text else "right")
        for row in self.rows:
            table.add_row(*(_shown(row.get(name)) for name in names))
        console.print(table)
        for note in self.notes:
            console.print(f"  · {note}", style="dim", highlight=False)
        console.print()


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
