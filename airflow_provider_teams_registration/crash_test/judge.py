"""Compares a run that was killed and retried with a run that nobody disturbed."""

from __future__ import annotations

from collections import Counter

from airflow_provider_teams_registration.crash_test.snapshot import HandedOn, Registered, Snapshot


def doubles(snapshot: Snapshot) -> int:
    """Return how many people have more than one registration on the same event."""
    return sum(count > 1 for count in Counter(one.person for one in snapshot.registered).values())


def findings(undisturbed: Snapshot, retried: Snapshot) -> list[str]:
    """
    Return what is wrong, without naming anybody.

    :param undisturbed: what a run left behind that nobody disturbed.
    :param retried: what the same run left behind that was killed and retried.
    """
    expected, found = ({one.person for one in snapshot.registered} for snapshot in (undisturbed, retried))
    by_url = {one.join_url: one for one in retried.registered if one.join_url}
    owners = [(row, by_url.get(row.join_url)) for row in retried.handed_on]
    lost = _people_with_links(undisturbed) - _people_with_links(retried)
    counted = {
        "registered twice": doubles(retried),
        "missing from the event": len(expected - found),
        "on the event, and not after an undisturbed run": len(found - expected),
        "with a link that no longer works": len({row for row, owner in owners if owner is None}),
        "with another person's link": len({row for row, owner in owners if owner and not _is_of(owner, row)}),
        "with a lost link": len(lost & found),
    }
    return [f"{count} {'person' if count == 1 else 'people'} {what}" for what, count in counted.items() if count]


def _is_of(owner: Registered, row: HandedOn) -> bool:
    return not row.values.isdisjoint(owner.names)


def _people_with_links(snapshot: Snapshot) -> set[tuple[str, str]]:
    """Return the people who appear in a row that holds any link."""
    with_links = {value for row in snapshot.handed_on for value in row.values}
    return {one.person for one in snapshot.registered if not with_links.isdisjoint(one.names)}
