"""Batches whose answers are exchanged, repeated or out of order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Item = Mapping[str, Any]


def disarranged(how: str, answers: Sequence[Item]) -> list[Item]:
    """
    Return the answers of a batch as the ``answers`` of a fault rule rearranges them.

    :param how: one of :data:`.faults.ANSWERS`.
    :param answers: the items of ``responses``, in any order.
    """
    by_id = sorted(answers, key=lambda item: (len(str(item["id"])), str(item["id"])))
    if how == "reverse":
        return by_id[::-1]
    shifted = [*by_id[1:], *by_id[:1]]
    if how == "repeat":
        return [*by_id, *(_with_answer_of(one, other) for one, other in zip(by_id, shifted, strict=True))]
    if how == "same":
        return [_with_answer_of(one, by_id[0]) for one in by_id]
    others = shifted if how == "rotate" else [*by_id[1:2], *by_id[:1], *by_id[2:]]
    return [_with_answer_of(one, other) for one, other in zip(by_id, others, strict=len(by_id) > 1)]


def _with_answer_of(one: Item, other: Item) -> Item:
    """Return an item with the body of another one. Its own status and headers stay."""
    kept = {name: value for name, value in one.items() if name != "body"}
    return {**kept, "body": other["body"]} if "body" in other else kept
