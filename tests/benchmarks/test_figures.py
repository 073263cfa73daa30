"""The README's figures are those that the benchmark kept."""

import json

from benchmarks.__main__ import CHART, RESULTS
from benchmarks.airflow_run import ROOT
from benchmarks.chart import draw
from benchmarks.table import write_table


def test_readme_says_what_the_benchmark_found():
    assert write_table(json.loads(RESULTS.read_text())) in (ROOT / "README.md").read_text()


def test_chart_shows_what_the_benchmark_found():
    assert draw(json.loads(RESULTS.read_text())) == CHART.read_text()
