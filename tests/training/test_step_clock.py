"""Where a step's time goes, by a clock that is set by hand."""

import pytest

from temporal_gan.training import step_clock
from temporal_gan.training.step_clock import StepClock


def test_waiting_is_a_share_of_the_steps_and_what_is_beside_them_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(step_clock.time, "monotonic", lambda: now[0])
    clock = StepClock()
    for _ in range(4):
        with clock.waiting():
            now[0] += 0.5
        now[0] += 1.5
    with clock.aside():
        now[0] += 7.0
    assert clock.read(4) == {"time/step_sec": 2.0, "time/data_share": 0.25, "time/aside_sec": 7.0}
    now[0] += 3.0
    assert clock.read(1) == {"time/step_sec": 3.0, "time/data_share": 0.0, "time/aside_sec": 0.0}
