"""Write the tables and sentences of the benchmarks page from the stored figures."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

DEFERRAL = "deferral"
"""The measure that has a command of its own."""
_COLUMNS = (
    ("people", "people"),
    ("ms per person", "ms per person"),
    ("CPU ms per person", "CPU ms"),
    ("HTTP calls", "HTTP calls"),
    ("tasks", "tasks"),
    ("peak MB", "peak MB"),
    ("doubles", "doubles"),
    ("losses", "losses"),
    ("links missing", "links missing"),
)


def write_table(results: Mapping[str, Any]) -> str:
    """Return the table and the sentences below it as Markdown, given what ``results.json`` holds."""
    measures: Mapping[str, Any] = {key: sheet["rows"] for key, sheet in results["measures"].items()}
    costs = {row["way"]: row for row in measures["online_meeting_cost"]}
    harms = {row["way"]: row for row in measures["harm"]}
    rows = [
        {
            **costs[row["way"]],
            **row,
            "CPU ms per person": round(row["CPU s"] / row["people"] * 1000, 2),
            **{name: harms.get(row["way"], {}).get(name) for name in ("doubles", "losses", "links missing")},
        }
        for row in measures["online_meeting"]
        if row["people"]
    ]
    head = " | ".join(["", *(title for _, title in _COLUMNS)])
    lines = [f"| {head} |", "|---" * (len(_COLUMNS) + 1) + "|"]
    for row in rows:
        lines.append(f"| {' | '.join([row['way'], *(_shown(row[name]) for name, _ in _COLUMNS)])} |")
    below = map(_wrapped, _sentences(measures, results["options"]["overhead_people"]))
    return "\n".join([*_above(measures), "", *lines, "", *below, "", _wrapped(_place(results)), ""])


def write_comparison(results: Mapping[str, Any]) -> str:
    """Return the time of (e) and of this provider as Markdown, and the part before the first person."""
    measures: Mapping[str, Any] = {key: sheet["rows"] for key, sheet in results["measures"].items()}
    long = [{**row, "people": row["on the event"]} for row in measures.get("long_list", ())]
    rows = [row for row in (*measures["online_meeting"], *long) if row["way"].startswith(("(e", "(f"))]
    return _table(rows, ("people", "seconds", "CPU s", "API CPU s", "before the first", "sending"))


def write_harm(results: Mapping[str, Any]) -> str:
    """Return the results of each way under faults as Markdown."""
    names = ("people", "on the event when killed", "seconds", "HTTP calls", "doubles", "losses", "links missing")
    return _table(results["measures"]["harm"]["rows"], names)


def write_mail(results: Mapping[str, Any]) -> str:
    """Return the cost of mails as Markdown."""
    return _of_one_measure(
        results, "mail", ("mails", "connections", "seconds", "CPU ms a mail", "beyond the loop", "more MB")
    )


def write_deferral(results: Mapping[str, Any]) -> str:
    """Return how much of a worker slot a long webinar takes as Markdown."""
    names = ("people", "run s", "slot %", "slot and queue %", "parts", "quota used %", "429s", "doubles", "losses")
    return _of_one_measure(results, DEFERRAL, names)


def _of_one_measure(results: Mapping[str, Any], key: str, names: Sequence[str]) -> str:
    sheet = results["measures"].get(key)
    return _table(sheet["rows"], names) if sheet else "The stored figures do not hold this measure yet.\n"


def _table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    lines = [f"| {' | '.join(['way', *names])} |", "|---" * (len(names) + 1) + "|"]
    return "\n".join(
        [*lines, *(f"| {' | '.join([row['way'], *(_shown(row.get(name)) for name in names)])} |" for row in rows), ""]
    )


def _above(measures: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    few, many = sorted({row["people"] for row in measures["harm"]})
    text = (
        "Each way enrolls people in an online meeting, and is written as a competent developer would write it. It runs "
        "against the emulator, which takes 50 ms for each call. The last three columns come from another run, of "
        f"{many:,} people ({few:,} for a task per person). In that run, the emulator throttles a tenth of the "
        "requests, answers one in fifty with 503 after the request took effect, and breaks connections. The worker is "
        "killed once, except for a task per person. This provider keeps its ledger in SQLite there, because a re-run "
        "in this harness deletes Airflow's task state store. It uses `settle_after=5` instead of 120, because the "
        "emulator shows each new registrant at once."
    )
    return textwrap.wrap(text, 120, break_on_hyphens=False)


def _beside_the_fastest(rows: Sequence[Mapping[str, Any]]) -> str:
    wide, ours = ({row["way"].partition(" ")[0]: row for row in rows}[key] for key in ("(e8)", "(f)"))
    share, times = wide["seconds"] / ours["seconds"], ours["CPU s"] / wide["CPU s"]
    return (
        f"- (e8) makes as many calls at a time as (f). It takes {100 * share:.0f} % of the time of (f), and (f) needs "
        f"{times:.1f} times the CPU time of (e8). A part of the difference is fixed: four round trips before the first "
        "person. The rest is the ledger, and grows with the list."
    )


def _sentences(measures: Mapping[str, Sequence[Mapping[str, Any]]], overhead_people: int) -> list[str]:
    webinar_of_others, webinar = measures["webinar"]
    first, *_, last = [row for row in measures["big_lists"] if row["run"] == "first run"]
    _, parse, parse_of_others = measures["parse"]
    one, chunks, each = measures["overhead"]
    return [
        _beside_the_fastest(measures["online_meeting"]),
        f"- At a webinar's limit, scaled to a shorter window, this provider uses {webinar['quota used %']} % of "
        f"the write quota in {webinar['seconds']} s and gets {webinar['429s']} answers with 429. "
        f"(e) takes {webinar_of_others['seconds']} s and gets {webinar_of_others['429s']:,}.",
        f"- For long lists from SQL, {first['people']:,} people take {first['ms per person']} ms each and at most "
        f"{first['peak MB']} MB. {last['people']:,} people take {last['ms per person']} ms each and at most "
        f"{last['peak MB']} MB. XCom holds {last['XCom bytes']:,} bytes.",
        f"- Parsing a DAG file with the operator takes {parse['ms']} ms and {parse['MB']} MB more than a bare DAG. "
        f"With `MSGraphAsyncOperator` it takes {parse_of_others['ms']} ms and {parse_of_others['MB']} MB more.",
        f"- {overhead_people:,} people take {one['seconds']} s as one task, {chunks['seconds']} s as ten mapped "
        f"chunks, and {each['seconds']} s as a task per person.",
    ]


def _place(results: Mapping[str, Any]) -> str:
    about = results["machine"]
    return (
        f"Measured by `make bench` on {about['measured'][:10]}: {about['CPUs']} CPUs, {about['system']}, Python "
        f"{about['Python']}, Airflow {about['apache-airflow']}, Microsoft provider "
        f"{about['apache-airflow-providers-microsoft-azure']}, HTTP provider {about['apache-airflow-providers-http']}, "
        f"msgraph-beta-sdk {about['msgraph-beta-sdk']}, httpx {about['httpx']}, requests {about['requests']}."
    )


def _wrapped(text: str) -> str:
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(text, 120, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int | float) else str(value)
