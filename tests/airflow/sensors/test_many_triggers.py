"""Many triggers of one triggerer ask Entra and Graph as one of them would."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from airflow_provider_teams_registration.graph.credentials.shared_tokens import forget_tokens
from airflow_provider_teams_registration.triggers.registration import RegistrationOpenTrigger

MANY = 500
INTERVAL = 1.0


@pytest.fixture(autouse=True)
def connection(emulator, monkeypatch):
    forget_tokens()
    monkeypatch.setenv("AIRFLOW_CONN_TEAMS_REGISTRATION_DEFAULT", json.dumps(emulator.connection()))


def trigger(webinar_id, poll_interval=INTERVAL):
    return RegistrationOpenTrigger(
        conn_id="teams_registration_default", poll_interval=poll_interval, webinar_id=webinar_id
    )


async def first_event(one):
    return (await anext(one.run())).payload


def reads(emulator):
    return [entry.path for entry in emulator.store.journal if entry.method == "GET"]


def sign_ins(emulator):
    return [entry.path for entry in emulator.store.sign_ins if entry.path.endswith("/token")]


async def until(is_so):
    while not is_so():
        await asyncio.sleep(0.01)


def test_500_triggers_of_one_event_read_it_as_often_as_one_and_sign_in_once(emulator):
    async def wait():
        triggers = [asyncio.create_task(first_event(trigger(emulator.draft_webinar_id))) for _ in range(MANY)]
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(until(lambda: len(reads(emulator)) >= 3), 60)
        emulator.store.webinars.publish(emulator.draft_webinar_id)
        found = await asyncio.wait_for(asyncio.gather(*triggers), 60)
        return found, asyncio.get_running_loop().time() - began

    found, seconds = asyncio.run(wait())

    assert Counter(str(one) for one in found) == {
        str({"registration": {"id": emulator.draft_webinar_id, "status": "published"}}): MANY
    }
    assert 3 < len(reads(emulator)) <= seconds / INTERVAL + 2
    assert len(sign_ins(emulator)) == 1


def test_500_triggers_of_as_many_events_sign_in_once_and_read_each_event_once(emulator):
    webinars = [emulator.store.webinars.add(f"Webinar {number}").id for number in range(MANY)]

    async def wait():
        return await asyncio.wait_for(asyncio.gather(*(first_event(trigger(one)) for one in webinars)), 300)

    found = asyncio.run(wait())

    assert [one["registration"]["id"] for one in found] == webinars
    assert Counter(reads(emulator)).most_common(1)[0][1] == 1
    assert len(reads(emulator)) == MANY
    assert len(sign_ins(emulator)) == 1


def test_a_trigger_that_is_cancelled_leaves_the_others_waiting(emulator):
    emulator.add_fault("GET webinars/*", times=1, delay=0.5)

    async def wait():
        first, second = (asyncio.create_task(first_event(trigger(emulator.webinar_id))) for _ in range(2))
        await asyncio.wait_for(until(lambda: sign_ins(emulator)), 60)
        first.cancel()
        return await asyncio.wait_for(second, 60)

    assert asyncio.run(wait())["registration"]["status"] == "published"
    assert len(reads(emulator)) == 1


def test_a_refusal_ends_the_wait_of_all_and_the_next_trigger_asks_again(emulator):
    emulator.set_switches(application_access_policy=False)

    async def wait():
        many = (first_event(trigger(emulator.webinar_id)) for _ in range(10))
        refused = await asyncio.wait_for(asyncio.gather(*many), 60)
        emulator.set_switches(application_access_policy=True)
        return refused, await asyncio.wait_for(first_event(trigger(emulator.webinar_id)), 60)

    refused, after = asyncio.run(wait())

    assert all("403" in one["failure"] for one in refused)
    assert len({one["failure"] for one in refused}) == 1
    assert after["registration"]["status"] == "published"
    assert len(reads(emulator)) == 2


def test_the_shortest_interval_sets_the_pace(emulator):
    async def wait():
        slow = asyncio.create_task(first_event(trigger(emulator.draft_webinar_id, 3600)))
        await asyncio.wait_for(until(lambda: reads(emulator)), 60)
        quick = asyncio.create_task(first_event(trigger(emulator.draft_webinar_id, 0.05)))
        await asyncio.wait_for(until(lambda: len(reads(emulator)) > 2), 60)
        emulator.store.webinars.publish(emulator.draft_webinar_id)
        found = await asyncio.wait_for(quick, 60)
        slow.cancel()
        return found

    assert asyncio.run(wait())["registration"]["status"] == "published"
