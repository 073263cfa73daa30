"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """
    Sizes of the measures.

    :param people: people of the online meeting.
    :param mapped_people: people for those who run a task per person.
    :param repeats: how often each way that sends batches is run; the median counts.
    :param harmed_people: people of the measure in which things go wrong.
    :param harmed_mapped_people: the same for those who run a task per person.
    :param webinar_people: people of the webinar.
    :param window: seconds of the webinar's window for fifteen writes.
    :param lists: lengths of the lists straight from SQL.
    :param parses: how often a DAG file is parsed; the best counts.
    :param long_people: length of the list that is handed on by XCom.
    :param overhead_people: people of the measure of Airflow's own overhead.
    :param mailed_people: people who get a mail.
    """

    people: int = 1000
    mapped_people: int = 200
    repeats: int = 3
    harmed_people: int = 1000
    harmed_mapped_people: int = 100
    webinar_people: int = 150
    window: float = 3.0
    lists: tuple[int, ...] = (10_000, 50_000)
    parses: int = 5
    long_people: int = 10_000
    overhead_people: int = 100
    mailed_people: int = 1000


QUICK = Options(
    people=60,
    mapped_people=5,
    repeats=1,
    harmed_people=60,
    harmed_mapped_people=5,
    webinar_people=30,
    window=1.0,
    lists=(100, 1_000),
    parses=1,
    long_people=100,
    overhead_people=10,
    mailed_people=50,
)
