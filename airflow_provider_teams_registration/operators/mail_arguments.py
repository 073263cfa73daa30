"""The arguments of the task that mails, read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.mail import MailKind
from airflow_provider_teams_registration.events.kinds import KINDS, EventKind
from airflow_provider_teams_registration.hooks.failures import PermanentFailure
from airflow_provider_teams_registration.mail.templating import (
    EXTENSIONS,
    PARTS,
    TemplateSource,
    argument_name,
    default_source,
)

if TYPE_CHECKING:
    from airflow_provider_teams_registration.operators.mail import MailJoinLinksOperator

_AGAIN = (None, "changed", "all")
_LOWEST_RATE = 0.01
_LONGEST_WAIT = 86_400


def check_mail_arguments(operator: MailJoinLinksOperator) -> None:
    """
    Refuse, when the DAG is parsed, what cannot be right.

    :param operator: the operator, with its arguments in place.
    :raises ValueError: says which argument, and what it must be.
    """
    if operator.again not in _AGAIN:
        raise ValueError(f"again is {operator.again!r}; it must be None, 'changed' or 'all'.")
    _check_numbers(operator)
    _check_columns(operator)
    if operator.verify_links:
        for kind in KINDS:
            if getattr(operator, kind.argument) is not None and not kind.links_are_readable:
                raise ValueError(f"verify_links compares with the links that Graph shows. {_without_links(kind)}")
    _check_templates(operator)


def _without_links(kind: EventKind) -> str:
    return f"Graph shows no links of the people on an {kind.name}. Leave verify_links out."


def _check_numbers(operator: MailJoinLinksOperator) -> None:
    rate = operator.rate
    if rate is not None and not (_is_number(rate) and rate >= _LOWEST_RATE):
        raise ValueError(f"rate is {rate!r}; it must be a number of mails a minute from {_LOWEST_RATE} up, or None.")
    if not (_is_number(operator.wait_for_rows) and 0 <= operator.wait_for_rows <= _LONGEST_WAIT):
        raise ValueError(f"wait_for_rows is {operator.wait_for_rows!r}; it takes seconds from 0 to {_LONGEST_WAIT:,}.")


def _check_columns(operator: MailJoinLinksOperator) -> None:
    if not isinstance(operator.email_column, str) or not operator.email_column:
        raise ValueError(f"email_column is {operator.email_column!r}; it must be the name of a column.")
    names = operator.name_columns
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"name_columns is {names!r}; it must be a list of names of columns.")


def _check_templates(operator: MailJoinLinksOperator) -> None:
    for kind in MailKind:
        for part in PARTS:
            text = getattr(operator, argument_name(kind, part))
            if text is not None and (not isinstance(text, str) or not text.strip()):
                raise ValueError(
                    f"{argument_name(kind, part)} is {'empty' if isinstance(text, str) else type(text).__name__}; it "
                    "must be a Jinja template, or the name of a template file."
                )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def template_sources(operator: MailJoinLinksOperator) -> dict[MailKind, TemplateSource]:
    """
    Return the sources of the mails that a task sends.

    Without text and HTML, the package's own templates are used. People on the waitlist are mailed only if a template
    for them is given.

    :param operator: the operator.
    :raises PermanentFailure: Airflow does not find a template file.
    """
    sources: dict[MailKind, TemplateSource] = {}
    for kind in MailKind:
        given = {part: _source(operator, argument_name(kind, part)) for part in PARTS}
        if kind is MailKind.WAITLIST and given["text"] is None and given["html"] is None:
            continue
        default = default_source(kind)
        subject = given["subject"] or default.subject
        if given["text"] is None and given["html"] is None:
            sources[kind] = replace(default, subject=subject)
        else:
            sources[kind] = TemplateSource(subject, given["text"] or default.text, given["html"])
    return sources


def _source(operator: MailJoinLinksOperator, argument: str) -> str | None:
    text: str | None = getattr(operator, argument)
    if text is None or "\n" in text or not text.strip().endswith(EXTENSIONS):
        return text
    environment = operator.get_dag().get_template_env()
    from jinja2 import TemplateNotFound

    try:
        source: str = environment.loader.get_source(environment, text.strip())[0]
    except TemplateNotFound:
        raise PermanentFailure(
            f"{argument} is {text!r}, and there is no such file in the DAG's folder or its template_searchpath. Nobody "
            "was mailed."
        ) from None
    except UnicodeDecodeError:
        raise PermanentFailure(f"{argument} is {text!r}, which is no UTF-8 text. Nobody was mailed.") from None
    return source
