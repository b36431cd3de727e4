"""What a step's time goes into."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StepClock:
    """Seconds since the last reading, by what they were spent on. Only the host is timed: a device that is still busy
    with steps before is not waited for."""

    def __init__(self) -> None:
        self._restart()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the wait for a batch: it is read, augmented and sent to the device."""
        before = time.monotonic()
        yield
        self._waited += time.monotonic() - before

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Around what is no part of a step: previews, validation, saving."""
        before = time.monotonic()
        yield
        self._aside += time.monotonic() - before

    def read(self, steps: int) -> dict[str, float]:
        """``time/step_sec``, ``time/data_share`` (part of it that was waiting for data) and ``time/aside_sec`` (all
        seconds beside) for the steps since the last reading; begins anew."""
        spent = time.monotonic() - self._began - self._aside
        figures = {
            "time/step_sec": spent / max(steps, 1),
            "time/data_share": self._waited / max(spent, 1e-9),
            "time/aside_sec": self._aside,
        }
        self._restart()
        return figures

    def _restart(self) -> None:
        self._began, self._waited, self._aside = time.monotonic(), 0.0, 0.0
