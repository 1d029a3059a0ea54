"""The sign that a training has left the rails: the mean loss of the latest steps stands out above those before it."""

from __future__ import annotations

import math
from collections import deque


class Guard:
    """Judges the mean loss of one stretch of steps after another."""

    BACK = 0.7
    """Factor on the learning rate whenever a run goes back to its last checkpoint."""

    def __init__(self, jump: float = 1.15, remembered: int = 5) -> None:
        """jump: how many times the least of the last `remembered` means is too much."""
        if jump <= 1:
            raise ValueError(f"jump must be above 1, got {jump}")
        self._jump, self._means = jump, deque[float](maxlen=remembered)

    def jumped(self, mean: float) -> bool:
        """Whether this mean is no number or stands out; it is remembered unless it does."""
        if not math.isfinite(mean) or (self._means and mean > self._jump * min(self._means)):
            return True
        self._means.append(mean)
        return False
