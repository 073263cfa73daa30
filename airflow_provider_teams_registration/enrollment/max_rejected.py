"""The number of refused registrants that a task tolerates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class MaxRejected:
    """
    The number of refused registrants that a task tolerates.

    :param limit: a number of registrants, or a per cent of them.
    :param is_per_cent: whether the limit is a per cent.
    """

    limit: Decimal
    is_per_cent: bool = False

    @classmethod
    def read(cls, value: int | str) -> MaxRejected:
        """
        Read a number (``3``, ``"3"``) or a per cent (``"5%"``, ``"2.5 %"``).

        :raises ValueError: the value is neither, or out of range.
        """
        text = str(value).strip()
        is_per_cent = text.endswith("%")
        try:
            limit = Decimal(text.rstrip("%")) if is_per_cent else Decimal(int(text))
        except (ArithmeticError, ValueError):
            limit = Decimal("nan")
        if isinstance(value, bool) or not limit.is_finite() or limit < 0 or (is_per_cent and limit > 100):
            raise ValueError(
                f"max_rejected is {value!r}; it must be a whole number from 0, or a per cent from '0%' to '100%'."
            )
        return cls(limit, is_per_cent)

    def tolerates(self, refused: int, of: int) -> bool:
        """Return whether a number of refused registrants, out of a total, is within the limit."""
        return refused * 100 <= self.limit * of if self.is_per_cent else refused <= self.limit

    def __str__(self) -> str:
        return f"{self.limit.normalize():f}{'%' if self.is_per_cent else ''}"
