"""``python -m dev.benchmarks.resume``: how many calls are left to make after a run was killed at 90 %."""

from __future__ import annotations

import os
import sys
import tempfile

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="benchmark-airflow-")

from airflow_provider_teams_registration.emulator.server import Emulator
from dev.crash_matrix.fixture import Fixture, empty_folder

PEOPLE = 50_000
ROWS = [{"id": f"crm-{number:06d}"} for number in range(PEOPLE)]
ARGUMENTS = {"xcom_limit": 100, "max_parallel_requests": 4}


def calls(emulator: Emulator) -> int:
    """Return how many HTTP requests reached Graph."""
    return sum(entry.batch is None for entry in emulator.store.journal)


def main() -> int:
    """Run once unharmed, once killed and resumed, and print the calls."""
    with Emulator() as emulator:
        with empty_folder() as folder:
            fixture = Fixture(emulator, folder, "sql", {})
            print("Unharmed:", fixture.run(fixture.attempt(ROWS, arguments=ARGUMENTS)))
            whole = calls(emulator)
        with empty_folder() as folder:
            fixture = Fixture(emulator, folder, "sql", {})
            process = fixture.start(fixture.attempt(ROWS, arguments=ARGUMENTS))
            while calls(emulator) < 0.9 * whole and process.is_alive():
                process.join(0.005)
            process.kill()
            process.join()
            emulator.clear_journal()
            print("Resumed:", fixture.run(fixture.attempt(ROWS, arguments=ARGUMENTS)))
            rest = calls(emulator)
            on_event = [record.id for record in emulator.store.enrolled(emulator.meeting_id)]
    print(f"{PEOPLE:,} people take {whole:,} calls; killed at 90 %, {rest:,} more ({rest / whole:.1%}).")
    print(f"On the event: {len(on_event):,} people, {len(set(on_event)):,} of them different.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
