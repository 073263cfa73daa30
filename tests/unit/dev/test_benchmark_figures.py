"""The pages show what the benchmark kept."""

import json

from dev.benchmarks.__main__ import CHART, RESULTS
from dev.benchmarks.airflow_run import ROOT
from dev.benchmarks.chart import draw
from dev.benchmarks.pages import refreshed


def test_pages_say_what_the_benchmark_found():
    for page, text in refreshed(ROOT, json.loads(RESULTS.read_text())).items():
        assert text == page.read_text(encoding="utf-8"), "python -m dev.benchmarks docs puts the figures there"


def test_chart_shows_what_the_benchmark_found():
    assert draw(json.loads(RESULTS.read_text())) == CHART.read_text(), "python -m dev.benchmarks docs draws it"
