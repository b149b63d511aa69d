"""Writing to the log from many requests at once, each with the moment at which it came to its turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from decisions.refusals import OutOfOrder

T = TypeVar("T")
_TRIES = 50
# Within this process they queue, so that nobody's moment is overtaken; another process is waited for.
_TURN = threading.Lock()


def in_order(act: Callable[[datetime], T], now: Callable[[], datetime]) -> T:
    """Do what is logged at a moment of `now`, again where another request was logged after that moment was taken.

    Raises OutOfOrder where the log is ahead of the clock.
    """
    for _ in range(_TRIES):
        try:
            with _TURN:
                return act(now())
        except OutOfOrder as behind:
            late = behind
            time.sleep(0.02)
    raise late
