"""A run is astray when values are no numbers, or far beyond the usual for long; a spike is none."""

import math

import pytest

from temporal_gan.training.divergence import DivergenceWatch

SOUND = [
    {"step": float(s), "loss/l1": 0.1 + 0.01 * (s % 3), "grad/generator_norm": 1.0} for s in range(1, 31)
]


def look(watch: DivergenceWatch, steps: range, **values: float) -> dict[int, str]:
    """What it says, by step."""
    named = {name.replace("__", "/"): value for name, value in values.items()}
    said = {step: watch.look(step, named) for step in steps}
    return {step: why for step, why in said.items() if why}


def test_far_beyond_the_usual_for_fifty_steps() -> None:
    watch = DivergenceWatch(SOUND)
    said = look(watch, range(31, 82), loss__l1=50.0)
    assert list(said) == [81]
    assert said[81] == "loss/l1 is 50, 455 times its median of 0.11, since step 31"


def test_at_few_lines_it_waits_for_three() -> None:
    assert list(look(DivergenceWatch(SOUND), range(100, 500, 100), loss__l1=50.0)) == [300, 400]


def test_a_spike_is_forgotten_and_a_slow_rise_is_none() -> None:
    watch = DivergenceWatch(SOUND)
    assert not look(watch, range(31, 80), loss__l1=50.0)
    assert watch.suspicious
    assert not look(watch, range(80, 81), loss__l1=0.1)
    assert not watch.suspicious
    assert not look(watch, range(81, 130), loss__l1=50.0)
    for step in range(200, 900):
        assert watch.look(step, {"grad/generator_norm": 1.01 ** (step - 200)}) is None


def test_ten_times_is_no_divergence_nor_is_a_critics_loss() -> None:
    watch = DivergenceWatch(SOUND)
    assert not look(watch, range(31, 200), loss__l1=1.0, grad__generator_norm=90.0, loss__frame_critic=1e9)
    assert not watch.suspicious


def test_the_first_lines_are_not_judged() -> None:
    watch = DivergenceWatch(SOUND[:4])
    assert not look(watch, range(31, 200), loss__l1=50.0)


def test_the_log_is_its_memory() -> None:
    watch = DivergenceWatch([*SOUND, *({"step": float(s), "loss/l1": 50.0} for s in range(31, 61))])
    assert watch.suspicious
    assert list(look(watch, range(61, 83), loss__l1=50.0)) == [81, 82]


def test_what_is_no_number_is_said_at_once() -> None:
    said = DivergenceWatch().look(1, {"loss/a": math.nan, "loss/b": 1.0, "grad/c": math.inf})
    assert said == "loss/a, grad/c not finite"
    assert (
        DivergenceWatch([{"step": 1.0, "preview/foreground_psnr": math.nan}]).look(2, {"loss/l1": 1.0})
        is None
    )


@pytest.mark.parametrize(("count", "first"), [(10, 81), (9, 82), (8, 83)])
def test_ten_lines_make_what_is_usual(count: int, first: int) -> None:
    """Whatever comes before the tenth is taken in, so that it ends later by as many steps."""
    assert min(look(DivergenceWatch(SOUND[:count]), range(31, 90), loss__l1=50.0)) == first


@pytest.mark.parametrize("name", ["loss/l1", "grad/generator_norm", "grad/norm"])
def test_every_watched_value_is_judged_by_itself(name: str) -> None:
    watch = DivergenceWatch({"step": float(s), name: 2.0} for s in range(1, 31))
    said = {step: watch.look(step, {name: 300.0}) for step in range(31, 90)}
    assert [step for step, why in said.items() if why] == list(range(81, 90))
    assert said[81] == f"{name} is 300, 150 times its median of 2, since step 31"


def test_beyond_nothing_there_are_no_times() -> None:
    watch = DivergenceWatch({"step": float(s), "loss/l1": 0.0} for s in range(1, 31))
    assert watch.look(31, {"loss/l1": 0.0}) is None
    said = look(watch, range(32, 83), loss__l1=0.5)
    assert said == {82: "loss/l1 is 0.5, beyond its median of 0, since step 32"}
