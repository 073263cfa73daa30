"""``python -m benchmarks table``: what the README says of the measures, from what they found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    return "\n".join([*lines, "", *_sentences(measures), "", _place(results), ""])


def _sentences(measures: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    _, webinar = measures["webinar"]
    first, *_, last = [row for row in measures["big_lists"] if row["run"] == "first run"]
    _, parse, parse_of_others = measures["parse"]
    one, chunks, each = measures["overhead"]
    return [
        f"- At a webinar's limit, scaled to a shorter window: {webinar['allowance used %']} % of the allowance used, "
        f"{webinar['429s']} answers with 429.",
        f"- Long lists from SQL: {first['people']:,} people take {first['ms per person']} ms each and "
        f"{first['peak MB']} MB at the most, {last['people']:,} take {last['ms per person']} ms and "
        f"{last['peak MB']} MB; XCom holds {last['XCom bytes']:,} bytes.",
        f"- Parsing a DAG file with the operator: {parse['ms']} ms and {parse['MB']} MB beyond a bare DAG; with "
        f"`MSGraphAsyncOperator` {parse_of_others['ms']} ms and {parse_of_others['MB']} MB.",
        f"- The same people as one task: {one['seconds']} s; as ten mapped chunks: {chunks['seconds']} s; as a task "
        f"per person: {each['seconds']} s.",
    ]


def _place(results: Mapping[str, Any]) -> str:
    about = results["machine"]
    return (
        f"Measured by `make bench` on {about['measured'][:10]}: {about['CPUs']} CPUs, {about['system']}, Python "
        f"{about['Python']}, Airflow {about['apache-airflow']}, Microsoft provider "
        f"{about['apache-airflow-providers-microsoft-azure']}, HTTP provider {about['apache-airflow-providers-http']}, "
        f"msgraph-beta-sdk {about['msgraph-beta-sdk']}, httpx {about['httpx']}, requests {about['requests']}."
    )


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int | float) else str(value)
