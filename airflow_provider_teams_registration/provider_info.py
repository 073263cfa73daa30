"""What Airflow is told of the provider: connection form, links, and where everything is."""

from __future__ import annotations

from typing import Any

from airflow_provider_teams_registration.events.kinds import KINDS
from airflow_provider_teams_registration.hooks.connection_fields import (
    CONNECTION_FIELDS,
    HIDDEN_FIELDS,
    PLACEHOLDERS,
    RELABELING,
)
from airflow_provider_teams_registration.hooks.form_field import ConnectionField

_PACKAGE = "airflow_provider_teams_registration"
_NAME = "Microsoft Teams Registration"


def provider_info(version: str) -> dict[str, Any]:
    """
    Return what the ``apache_airflow_provider`` entry point hands to Airflow.

    :param version: the provider's version.
    """
    return {
        "package-name": "airflow-provider-teams-registration",
        "name": _NAME,
        "description": "Enroll people in Microsoft Teams events and hand every one their own join link.",
        "versions": [version],
        "integrations": [
            {
                "integration-name": _NAME,
                "external-doc-url": "https://learn.microsoft.com/graph/api/resources/virtualeventregistration",
                "tags": ["service"],
            }
        ],
        "hooks": [_modules("hooks.teams_registration")],
        "operators": [
            _modules(
                "operators.enroll",
                "operators.cancel",
                "operators.registration",
                "operators.mail",
                "operators.check_setup",
                "operators.consent",
            )
        ],
        "transfers": [
            {
                "source-integration-name": "SQL",
                "target-integration-name": _NAME,
                "python-module": f"{_PACKAGE}.transfers.sql",
            }
        ],
        "sensors": [_modules("sensors.registration", "sensors.registrant")],
        "triggers": [_modules("triggers.registration", "triggers.registrant", "triggers.resume")],
        "extra-links": [kind.extra_link for kind in KINDS if kind.extra_link is not None],
        "connection-types": [
            {
                "connection-type": "teams_registration",
                "hook-class-name": f"{_PACKAGE}.hooks.teams_registration.TeamsRegistrationHook",
                "hook-name": _NAME,
                "ui-field-behaviour": {
                    "hidden-fields": list(HIDDEN_FIELDS),
                    "relabeling": RELABELING,
                    "placeholders": PLACEHOLDERS,
                },
                "conn-fields": {name: _form_field(field) for name, field in CONNECTION_FIELDS.items()},
            }
        ],
    }


def _modules(*below: str) -> dict[str, Any]:
    return {"integration-name": _NAME, "python-modules": [f"{_PACKAGE}.{one}" for one in below]}


def _form_field(field: ConnectionField) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": [field.kind, "null"]}
    if field.default is not None:
        schema["default"] = field.default
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.examples:
        schema["examples"] = list(field.examples)
    if field.is_secret:
        schema["format"] = "password"
    return {"label": field.label, "description": field.description, "schema": schema}
