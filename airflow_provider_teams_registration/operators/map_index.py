"""The name that Airflow shows for a mapped instance of a task."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from airflow_provider_teams_registration.core.event_facts import EventFacts

_LONGEST_NAME = 250
"""How many characters Airflow 2.11 stores."""


def name_by_event(context: MutableMapping[str, Any], facts: EventFacts | None) -> None:
    """
    Name a mapped instance by the event's title, unless the DAG's author set a ``map_index_template``.

    Airflow renders the template after the task, also after a failure. The title is a variable of the template, not part
    of it, so Airflow never runs a title as a template. An author's own template may use ``event_title``, too.

    :param context: the task's context.
    :param facts: the facts of the event; None, and facts without a title, leave Airflow's name.
    """
    if facts is None or not facts.title or context["ti"].map_index < 0:
        return
    context["event_title"] = facts.title[:_LONGEST_NAME]
    if context.get("map_index_template") is None:
        context["map_index_template"] = "{{ event_title }}"
