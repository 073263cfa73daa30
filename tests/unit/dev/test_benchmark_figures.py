"""The pages show what the benchmark kept."""

import json

from dev.benchmarks.__main__ import CHART, RESULTS
from dev.benchmarks.airflow_run import ROOT
from dev.benchmarks.chart import draw
from dev.benchmarks.deferral import store
from dev.benchmarks.measures.sheet import Sheet
from dev.benchmarks.pages import refreshed


def test_pages_say_what_the_benchmark_found():
    for page, text in refreshed(ROOT, json.loads(RESULTS.read_text())).items():
        assert text == page.read_text(encoding="utf-8"), "python -m dev.benchmarks docs puts the figures there"


def test_measures_without_stored_figures_say_so_and_others_get_their_rows():
    results = json.loads(RESULTS.read_text())
    results["measures"].pop("deferral", None)
    results["measures"]["mail"] = {"rows": [{"way": "this provider", "mails": 1000, "CPU ms a mail": 2.5}]}
    (text,) = refreshed(ROOT, results).values()
    assert "| this provider | 1,000 |  |  | 2.5 |" in text
    assert text.count("The stored figures do not hold this measure yet.") == 1


def test_stored_row_replaces_the_row_of_the_same_way(tmp_path):
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"measures": {"mail": {"rows": []}}}))
    for slot, way in ((5.0, "deferrable"), (90.0, "in the worker"), (4.0, "deferrable")):
        store(Sheet("deferral", "title", [{"way": way, "slot %": slot}]), results)
    measures = json.loads(results.read_text())["measures"]
    assert list(measures) == ["mail", "deferral"]
    assert {row["way"]: row["slot %"] for row in measures["deferral"]["rows"]} == {"deferrable": 4, "in the worker": 90}


def test_chart_shows_what_the_benchmark_found():
    assert draw(json.loads(RESULTS.read_text())) == CHART.read_text(), "python -m dev.benchmarks docs draws it"
