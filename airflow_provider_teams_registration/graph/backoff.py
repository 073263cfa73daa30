"""How long a session waits where the service does not say how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """
    The waits of a session where the service names none.

    :param first: seconds after the first throttled round. Each further round in a row doubles them. Default 2.
    :param longest: seconds that such a wait has at most, before it is varied by a quarter. Default 120.
    :param read_multiplier: seconds that the wait before a read is repeated has at most the first time. Each further
        repetition doubles them. Default 0.5.
    :param read_longest: seconds that the wait before a read is repeated has at most. Default 8.
    """

    first: float = 2.0
    longest: float = 120.0
    read_multiplier: float = 0.5
    read_longest: float = 8.0

    def after_rounds(self, throttled: int) -> float:
        """
        Return the seconds to wait after throttled rounds.

        :param throttled: how many rounds in a row were throttled, from 1 on.
        """
        return float(min(self.first * 2 ** (throttled - 1), self.longest))
