"""The event that a task mails about, and its facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.event_facts import EventFacts, read_event_facts
from airflow_provider_teams_registration.events.kinds import KINDS, given_kinds
from airflow_provider_teams_registration.events.reference import EventRef
from airflow_provider_teams_registration.hooks.failures import PermanentFailure
from airflow_provider_teams_registration.xcom.push import SUMMARY_KEY

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator

_EVENT = "event"
_REFERENCE = frozenset({"run_key", "attempt", "ledger_table"})


def read_facts(operator: MailJoinLinksOperator, context: Context, rows: Sequence[Any]) -> EventFacts:
    """
    Return what is known of the event: by the arguments, by the tasks that the rows are of, or else by Graph.

    :param operator: the operator.
    :param context: the task's context.
    :param rows: the rows, with references in them.
    :raises PermanentFailure: a fact cannot be right, or the rows are those of another event.
    :raises TeamsRegistrationError: Graph was asked, and the event cannot be read.
    """
    summaries = [context["ti"].xcom_pull(task_ids=task_id, key=SUMMARY_KEY) for task_id in operator.rows_of]
    named = _named(operator)
    try:
        facts = _known_facts(named, operator.event, rows, summaries)
        is_told = facts.title is not None or facts.start is not None
        if is_told or named is None:
            return facts
        read = named.facts(operator.new_hook().session)
        return _known_facts(named, operator.event, [], [{_EVENT: read.as_json()}])
    except ValueError as error:
        raise PermanentFailure(f"Nobody was mailed. {error}") from None


def _named(operator: MailJoinLinksOperator) -> EventRef | None:
    if not operator.names_event():
        return None
    named = operator.named_event()
    # Only a link needs the connection to Graph.
    return operator.find_event(operator.new_hook().session) if named.is_link else named.with_id(named.value)


def _known_facts(named: EventRef | None, given: Any, rows: Sequence[Any], summaries: Sequence[Any]) -> EventFacts:
    """
    Return what the arguments, the rows' references and the tasks before this one say about the event.

    :param named: the event that the author named.
    :param given: the argument ``event``.
    :param rows: the rows, among which references may name the event.
    :param summaries: what the tasks before this one pushed beside their rows.
    :raises ValueError: a fact cannot be right, or the events differ.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(
            f"event is a {type(given).__name__}; it must be a dict such as {{'title': ..., 'start': ...}}."
        )
    references = [row for row in rows if isinstance(row, Mapping) and row.keys() >= _REFERENCE]
    told = [*_told(summaries), *_told(references)]
    ids = {_ids(one) for one in told}
    if len(ids) > 1:
        raise ValueError("The rows are those of several events. Mail each event in a task of its own.")
    author = {named.kind.argument: named.id} if named else {}
    if author and ids and ids != {_ids(author)}:
        raise ValueError(f"The rows are those of another event than {', '.join(author)} names.")
    return read_event_facts({**(told[0] if told else {}), **(given or {}), **author})


def _ids(told: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(told.get(kind.argument) or None for kind in KINDS)


def _told(values: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    for value in values:
        # A reference holds the summary, a page of one the event alone.
        held = value.get("summary", value) if isinstance(value, Mapping) else None
        event = held.get(_EVENT) if isinstance(held, Mapping) else None
        if isinstance(event, Mapping) and given_kinds(event):
            yield event
