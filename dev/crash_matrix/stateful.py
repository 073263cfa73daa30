"""Random histories of runs, faults, kills and other people's enrollments, which must all end well."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from airflow_provider_teams_registration.emulator.server import Emulator
from dev.crash_matrix.fixture import Fixture, empty_folder
from dev.crash_matrix.matrix import DUPLICATES

PEOPLE = [f"person {number}" for number in range(24)]
RUNS = ("monday", "tuesday")
# One of each kind, and of those passed often also a late one. A run that does not get there ends unharmed.
POINTS = [
    ("after GET registrants", 1),
    ("after GET registrants", 2),
    ("before INSERT ledger", 2),
    ("before COMMIT ledger", 3),
    ("before COMMIT ledger", 4),
    ("before COMMIT ledger", 5),
    ("before POST $batch", 1),
    ("before POST $batch", 2),
    ("after POST $batch", 1),
    ("after POST $batch", 2),
    ("before UPDATE ledger", 3),
    ("before UPDATE ledger", 5),
    ("before PUSH summary", 1),
    ("before PUSH return_value", 1),
    ("after PUSH return_value", 1),
]
FAULTS: list[dict[str, Any]] = [
    {"route": "POST $batch", "when": "after", "drop": True},
    {"route": "POST $batch", "when": "after", "status": 503, "is_plain_text": True},
    {"route": "POST $batch", "when": "before", "status": 503},
    {"route": "POST $batch", "when": "after", "half": True},
    {"route": "POST registration/registrants", "nth": 3, "times": 4, "when": "after", "omit": True},
    {"route": "POST registration/registrants", "nth": 2, "times": 3, "status": 429, "retry_after": "0"},
    {"route": "GET registration/registrants", "status": 500},
]


class EnrollmentMachine(RuleBasedStateMachine):
    """
    One event and one ledger in SQL, over many runs.

    :cvar emulator: the service; set by whoever runs this.
    :cvar killed: how many runs were killed so far, so that whoever runs this sees that some were.
    """

    emulator: Emulator
    killed = 0

    @initialize(duplicate=st.sampled_from(DUPLICATES), lag=st.sampled_from([0.0, 0.2]))
    def begin(self, duplicate: str, lag: float) -> None:
        """Start with an empty event."""
        self._stack = ExitStack()
        folder = self._stack.enter_context(empty_folder())
        self._fixture = Fixture(self.emulator, folder, "sql", {"duplicate": duplicate, "visibility_lag": lag})
        self._wanted: dict[str, list[str]] = {}
        self._of_others: set[str] = set()

    @rule(run=st.sampled_from(RUNS), people=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=24, unique=True))
    def run_to_the_end(self, run: str, people: list[str]) -> None:
        """Enroll some people, and look whether all is well with them."""
        said = self._fixture.run(self._fixture.attempt(_rows(people), run_id=run))
        assert said == "success", said
        self._judge(run, people)

    @rule(
        run=st.sampled_from(RUNS),
        people=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=24, unique=True),
        point=st.sampled_from(POINTS),
    )
    def run_and_be_killed(self, run: str, people: list[str], point: tuple[str, int]) -> None:
        """Start to enroll some people, and be killed on the way."""
        said = self._fixture.run(self._fixture.attempt(_rows(people), run_id=run, inject_at=point))
        assert said in (None, "success"), said
        EnrollmentMachine.killed += said is None
        self._wanted[run] = people

    @rule(person=st.sampled_from(PEOPLE))
    def enroll_by_others(self, person: str) -> None:
        """Let somebody else enroll a person."""
        self._fixture.event.enroll_by_others(person)
        self._of_others.add(person)

    @rule(fault=st.sampled_from(FAULTS))
    def go_wrong(self, fault: dict[str, Any]) -> None:
        """Let something go wrong the next time."""
        self.emulator.clear_faults()
        self.emulator.add_fault(**fault)

    def teardown(self) -> None:
        """Let Airflow retry whatever was killed last."""
        if not hasattr(self, "_fixture"):
            return
        self.emulator.clear_faults()
        with self._stack:
            for run, people in self._wanted.items():
                self.run_to_the_end(run, people)

    def _judge(self, run: str, people: list[str]) -> None:
        wrong = self._fixture.judge(_rows(people), self._of_others, run, elsewhere=PEOPLE)
        assert not wrong, wrong


def _rows(people: list[str]) -> list[dict[str, str]]:
    return [{"id": person} for person in people]
