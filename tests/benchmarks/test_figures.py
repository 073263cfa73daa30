"""The pages show what the benchmark kept."""

import json

from benchmarks.__main__ import CHART, RESULTS
from benchmarks.airflow_run import ROOT
from benchmarks.chart import draw
from benchmarks.pages import refreshed


def test_pages_say_what_the_benchmark_found():
    for page, text in refreshed(ROOT, json.loads(RESULTS.read_text())).items():
        assert text == page.read_text(encoding="utf-8"), "python -m benchmarks readme puts the figures there"


def test_chart_shows_what_the_benchmark_found():
    assert draw(json.loads(RESULTS.read_text())) == CHART.read_text(), "python -m benchmarks readme draws it"
