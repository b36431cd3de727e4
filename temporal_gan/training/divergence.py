"""When a run has gone astray: values that are no numbers, or that stay far beyond what was usual."""

import math
from collections.abc import Iterable, Mapping
from statistics import median

WATCHED = ("loss/l1", "grad/generator_norm", "grad/norm")
"""What stays within a few times its usual value in a sound run. Critics' losses do not."""

FACTOR, STEPS, LINES, USUAL = 100.0, 50, 3, 10
"""A run has diverged when a watched value has been beyond ``FACTOR`` times its median for ``STEPS`` steps and at least
``LINES`` logged lines; it has a median from ``USUAL`` lines on."""


class DivergenceWatch:
    """Looks at every logged line.

    Its memory is the log itself, so a run that goes on judges as one that never stopped.

    Attributes:
        suspicious: the last line had a value far beyond the usual; what is saved now may be worthless.
    """

    def __init__(self, lines: Iterable[Mapping[str, float]] = ()) -> None:
        """``lines``: the log so far, each with its ``step``."""
        self._usual: dict[str, list[float]] = {name: [] for name in WATCHED}
        self._beyond: dict[str, list[int]] = {name: [] for name in WATCHED}
        for line in lines:
            self.look(int(line["step"]), {name: line[name] for name in WATCHED if name in line})

    @property
    def suspicious(self) -> bool:
        return any(self._beyond.values())

    def look(self, step: int, values: Mapping[str, float]) -> str | None:
        """Take in a line of the log.

        Returns:
            why the run has diverged, in words; None where it has not.
        """
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if bad:
            return f"{', '.join(bad)} not finite"
        for name in WATCHED:
            if name in values and (why := self._look_at(name, step, values[name])):
                return why
        return None

    def _look_at(self, name: str, step: int, value: float) -> str | None:
        usual, beyond = self._usual[name], self._beyond[name]
        if len(usual) < USUAL or value <= FACTOR * median(usual):
            usual.append(value)
            beyond.clear()
            return None
        beyond.append(step)
        if len(beyond) < LINES or step - beyond[0] < STEPS:
            return None
        times = f"{value / median(usual):.0f} times" if median(usual) else "beyond"
        return f"{name} is {value:.3g}, {times} its median of {median(usual):.3g}, since step {beyond[0]}"
