"""Answers about Teams apps that are not what was asked for: nobody consents to another app."""

from __future__ import annotations

import json

import pytest

from airflow_provider_teams_registration.exceptions import NotFound, ServiceUnreachable, SettingsError
from airflow_provider_teams_registration.graph.teams_app import app_of_catalog

APP_ID = "11111111-1111-4111-8111-111111111111"
OTHER_ID = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def catalog(no_backoff, delegated_session, emulator):
    """Look an app up in a catalog that answers each search with the same body."""
    emulator.set_switches(scopes="AppCatalog.Read.All")

    def look_up(body, wanted=APP_ID):
        emulator.add_fault("GET appCatalogs/teamsApps*", body=json.dumps(body), times=100)
        return app_of_catalog(delegated_session, wanted)

    return look_up


def app(app_id=APP_ID, external_id=OTHER_ID, permissions=()):
    return {"id": app_id, "externalId": external_id, "appDefinitions": [definition(permissions)]}


def definition(permissions, **fields):
    return {"authorization": {"requiredPermissionSet": {"resourceSpecificPermissions": permissions}}, **fields}


def versions(*listed):
    """An app of several versions. Each of them asks for one permission, which tells them apart."""
    definitions = [definition([asks_for(name)], **fields) for name, fields in listed]
    return {"value": [app() | {"appDefinitions": definitions}]}


def asks_for(name):
    return {"permissionValue": name, "permissionType": "application"}


def number(version, state="published"):
    return {"version": version, "publishingState": state}


def test_app_is_found_however_its_id_is_spelled(catalog):
    asked = [{"permissionValue": "VirtualEvent.Read.Chat", "permissionType": "application"}]

    found = catalog({"value": [app(permissions=asked)]}, APP_ID.upper())

    assert (found.id, found.permissions) == (APP_ID, (("VirtualEvent.Read.Chat", "application"),))


@pytest.mark.parametrize("apps", [[app(OTHER_ID)], [app(), app(OTHER_ID)]], ids=["another app", "the whole catalog"])
def test_another_app_is_not_taken(catalog, apps):
    with pytest.raises(ServiceUnreachable, match="another Teams app"):
        catalog({"value": apps})


def test_two_apps_of_one_id_are_refused(catalog):
    with pytest.raises(SettingsError, match="several Teams apps"):
        catalog({"value": [app(), app()]})


@pytest.mark.parametrize("wrong", [5, "VirtualEvent.Read.Chat", {"a": 1}, [None], [{"permissionValue": 7}]])
def test_permissions_of_another_kind_are_no_answer(catalog, wrong):
    with pytest.raises(ServiceUnreachable):
        catalog({"value": [app(permissions=wrong)]})


def test_empty_page_that_is_not_the_last_one_does_not_prove_that_there_is_no_app(catalog):
    with pytest.raises(ServiceUnreachable, match="not the last one"):
        catalog({"value": [], "@odata.nextLink": "https://graph.example/next"})


def test_catalog_without_the_app_says_so(catalog):
    with pytest.raises(NotFound, match="no such Teams app"):
        catalog({"value": []})


@pytest.mark.parametrize("nothing", ["", " "])
def test_no_id_is_refused_before_anything_is_sent(catalog, emulator, nothing):
    emulator.clear_journal()
    with pytest.raises(SettingsError, match="teams_app_id is empty"):
        catalog({"value": [app()]}, nothing)
    assert not emulator.store.journal


@pytest.mark.parametrize(
    "listed",
    [
        [("Old", number("1.9.0")), ("New", number("1.10.0"))],
        [("New", number("1.10.0")), ("Old", number("1.9.0"))],
        [("New", number("2")), ("Old", number("1.9.9"))],
        [("New", number("1.0.1")), ("Old", number("1.0"))],
        [("New", number("1.0.0")), ("Old", number("2.0.0", "submitted"))],
        [("Old", number("2.0.0", "Rejected")), ("New", number("1.0.0")), ("Old", number("0.9.0"))],
        [("New", {"version": "2.0.0"}), ("Old", {"version": "1.0.0"})],
        [("New", {}), ("New", {})],
        [("New", number("1.0.0")), ("New", number("1.0"))],
        [("New", number("beta")), ("New", number("1.0"))],
    ],
)
def test_newest_published_version_is_taken_in_whatever_order_they_come(catalog, listed):
    assert catalog(versions(*listed)).permissions == (("New", "application"),)


@pytest.mark.parametrize(
    "listed",
    [
        [("One", {}), ("Another", {})],
        [("One", number("1.0.0")), ("Another", number(None))],
        [("One", number("1.0.0")), ("Another", number("2.0.0-beta"))],
        [("One", number("1.0.0")), ("Another", number("1" * 5_000))],
        [("One", number("1.0")), ("Another", number("1.0.0"))],
    ],
)
def test_versions_that_cannot_be_compared_are_refused(catalog, listed):
    with pytest.raises(SettingsError, match="do not tell which is the newest"):
        catalog(versions(*listed))


def test_only_version_is_taken_whatever_its_state(catalog):
    assert catalog(versions(("Only", number("1.0.0", "submitted")))).permissions == (("Only", "application"),)


def test_versions_of_which_none_is_published_are_refused(catalog):
    with pytest.raises(SettingsError, match="No version of the Teams app is published"):
        catalog(versions(("One", number("1.0.0", "submitted")), ("Another", number("2.0.0", "rejected"))))


def test_some_of_the_versions_do_not_prove_which_is_the_newest(catalog):
    body = versions(("One", number("1.0.0")))
    body["value"][0]["appDefinitions@odata.nextLink"] = "https://graph.example/next"
    with pytest.raises(ServiceUnreachable, match="not all"):
        catalog(body)
