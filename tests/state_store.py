"""A task state store as Airflow's, in memory."""

import json

from airflow_provider_teams_registration.ledger.task_state import MAX_VALUE


class Store:
    """A task state store: values become JSON, and none is longer than Airflow takes."""

    def __init__(self):
        self.values = {}
        self.refusals_to_come = 0

    def get(self, key, default=None):
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key, value):
        if self.refusals_to_come:
            self.refusals_to_come -= 1
            raise ConnectionError(f"no place for {value}")
        text = json.dumps(value)
        if len(text.encode()) > MAX_VALUE:
            raise ValueError(f"too long: {text}")
        self.values[key] = text
