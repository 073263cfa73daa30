"""How fast people can be registered."""

from __future__ import annotations

from airflow_provider_teams_registration.doctor.finding import Finding, fine
from airflow_provider_teams_registration.graph.settings import GraphSettings

_CROWD = 500


def check_pace(settings: GraphSettings) -> Finding:
    """
    Say how many people can be registered for webinars in what time.

    :param settings: the connection's settings.
    """
    minutes = _CROWD / settings.write_limit * settings.write_window / 60
    return fine(
        "pace",
        f"Webinars: {settings.write_limit} writes in {settings.write_window:g} seconds for the whole app, so "
        f"{_CROWD} people take {minutes:.0f} minutes. Tasks that run at once share this.",
    )
