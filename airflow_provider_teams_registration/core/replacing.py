"""A changed copy of a frozen dataclass, ten times as fast as that of the standard library."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # mypy checks the names and the types of the changes only for the standard library's own function.
    from dataclasses import replace as replace
else:

    def replace(one, /, **changes):
        """
        Return a copy of a frozen dataclass with some fields changed.

        The standard library calls ``__init__``, which sets each field on its own. A run makes ten copies per person.

        :param one: an instance of a dataclass without ``__post_init__`` and without slots.
        :param changes: the changed fields.
        :raises TypeError: the class has no such field.
        """
        fields = one.__dict__
        values = {**fields, **changes}
        if len(values) != len(fields):
            raise TypeError(f"{type(one).__name__} has no field {', '.join(sorted(changes.keys() - fields.keys()))}")
        copy = object.__new__(type(one))
        copy.__dict__.update(values)
        return copy
