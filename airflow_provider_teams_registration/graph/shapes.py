"""
What a read was asked for, and whether its answer is that.

A reader is a function that takes the decoded body of an answer and returns what it says. Readers are made of the
functions below, which accept no value of another kind: a gateway, a proxy or a captive portal may answer 200 in place
of Graph, and a body that was taken for an empty list would prove that nobody is on the event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from airflow_provider_teams_registration.exceptions import (
    AnswerLost,
    ServiceUnreachable,
    TeamsRegistrationError,
)
from airflow_provider_teams_registration.graph.batch import BatchRequest
from airflow_provider_teams_registration.graph.join_url import is_join_url
from airflow_provider_teams_registration.graph.response import REQUEST_TIMEOUT, GraphResponse

T = TypeVar("T")

Reader = Callable[[Any], T]

LONGEST_ID = 512
"""Characters of an id that the service made. Graph's longest, those of meetings, have about 150."""
_OK = 200
_KINDS = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}


class Unreadable(ServiceUnreachable):
    """
    An answer to a read is not what was asked for. It proves nothing, and the read is made again.

    :param what: what is wrong with it, in field names and kinds of value. It never holds a value.
    :param is_empty: whether the answer had no body. Default False.
    """

    def __init__(self, what: str, *, is_empty: bool = False) -> None:
        super().__init__(
            f"Graph's answer to a read is not what was asked for: {what}. Something between this machine and Graph, "
            "such as a proxy or a gateway, may have answered instead."
        )
        self.is_empty = is_empty


@dataclass(frozen=True)
class BatchRead(Generic[T]):
    """
    One read of a batch.

    :param path: path below the version, percent-encoded, with its leading slash.
    :param reader: makes what is asked for from the body of the answer.
    :param sent: personal values in the path, to be blanked in error texts.
    """

    path: str = field(repr=False)
    reader: Reader[T]
    sent: tuple[str | None, ...] = field(default=(), repr=False)

    @property
    def request(self) -> BatchRequest:
        """The request."""
        return BatchRequest("GET", self.path, sent=self.sent)


def outcome_of_read(
    answer: GraphResponse | AnswerLost, reader: Reader[T], sent: Iterable[str | None] = ()
) -> T | TeamsRegistrationError:
    """
    Return what an answer to a read says, or the error that stands for it.

    It returns the error instead of raising it: a frame that raises must not hold the body, which is about people.

    :param answer: the answer, or the error that came in its place.
    :param reader: makes what was asked for from the body.
    :param sent: personal values that were sent, to be blanked in error texts.
    """
    if isinstance(answer, AnswerLost):
        return answer
    if answer.status == REQUEST_TIMEOUT:
        return AnswerLost("Graph answered 408 to a read", status=answer.status, request_id=answer.request_id)
    refusal = answer.refusal(sent)
    if refusal is not None:
        return refusal
    if answer.is_garbled:
        return Unreadable("it is no JSON")
    if answer.body is None:
        return Unreadable("it is empty", is_empty=True)
    if answer.status != _OK:
        return Unreadable(f"its status is {answer.status}, not 200")
    try:
        return reader(answer.body)
    except Unreadable as error:
        return error.with_traceback(None)


def an_object(body: Any, what: str = "the body") -> Mapping[str, Any]:
    """
    Return a body that is an object.

    :param body: the body, or a part of it.
    :param what: how the error calls it.
    :raises Unreadable: it is none.
    """
    if not isinstance(body, dict):
        raise Unreadable(f"{what} is {_kind(body)}, not an object")
    return body


def objects(body: Any, name: str = "value") -> list[Mapping[str, Any]]:
    """
    Return the objects of a list in a body.

    :param body: the body.
    :param name: the field that holds the list. Default ``value``, as in a collection.
    :raises Unreadable: the body is no object, the field is missing or no list, or an item is no object.
    """
    listed = an_object(body).get(name)
    if not isinstance(listed, list):
        raise Unreadable(f"{name} is {_kind(listed)}, not a list")
    return [an_object(item, f"an item of {name}") for item in listed]


def an_object_or_none(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """
    Return a field that is an object; an empty one where it is missing or null.

    :raises Unreadable: it is of another kind.
    """
    value = item.get(name)
    return {} if value is None else an_object(value, name)


def text(item: Mapping[str, Any], name: str) -> str:
    """
    Return a field that is text and not empty.

    :raises Unreadable: it is missing, null, empty or of another kind.
    """
    value = text_or_none(item, name)
    if value is None or not value.strip():
        raise Unreadable(f"{name} is missing or empty")
    return value


def an_id(item: Mapping[str, Any], name: str = "id") -> str:
    """
    Return a field that is an id of the service's, fit to stand in an address and in a database.

    :raises Unreadable: it is missing, null, empty or of another kind, or no id can be like that.
    """
    value = text(item, name)
    if len(value) > LONGEST_ID or not value.isprintable() or value in (".", ".."):
        raise Unreadable(f"{name} is text that no id can be")
    return value


def text_or_none(item: Mapping[str, Any], name: str) -> str | None:
    """
    Return a field that is text; None where it is missing or null.

    :raises Unreadable: it is of another kind.
    """
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{name} is {_kind(value)}, not text")
    return value


def texts_or_none(item: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """
    Return a field that is a list of texts; none where it is missing or null.

    :raises Unreadable: it is of another kind, or an item of it is.
    """
    value = item.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Unreadable(f"{name} is no list of texts")
    return tuple(value)


def yes_or_no(item: Mapping[str, Any], name: str) -> bool:
    """
    Return a field that is a boolean; False where it is missing or null.

    :raises Unreadable: it is of another kind.
    """
    value = item.get(name)
    if value is not None and not isinstance(value, bool):
        raise Unreadable(f"{name} is {_kind(value)}, not a boolean")
    return bool(value)


def whole_number_or_none(item: Mapping[str, Any], name: str) -> int | None:
    """
    Return a field that is a whole number; None where it is missing or null.

    :raises Unreadable: it is of another kind.
    """
    value = item.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise Unreadable(f"{name} is {_kind(value)}, not a whole number")
    return value


def link_or_none(item: Mapping[str, Any], name: str) -> str | None:
    """
    Return a field that is a link; None where it is missing, null or empty.

    :raises Unreadable: it is no link on https, or one with user info.
    """
    value = text_or_none(item, name)
    if not value:
        return None
    if not is_join_url(value):
        raise Unreadable(f"{name} is no link on https")
    return value


def _kind(value: Any) -> str:
    return "missing or null" if value is None else _KINDS.get(type(value), "something else")
