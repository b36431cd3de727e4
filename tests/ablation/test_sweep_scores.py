"""Means, intervals and paired differences of seeds by clips; the answer in words; plots and pictures."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from small_sweeps import sweep_of

from temporal_gan.ablation import page
from temporal_gan.ablation.answer import find_answer, gap
from temporal_gan.ablation.estimate import estimate
from temporal_gan.ablation.films import mean_gap
from temporal_gan.ablation.outcome import Outcome, this_place
from temporal_gan.ablation.row_names import DCGAN_ARM
from temporal_gan.ablation.scores import FLOORS, Row, Scores
from temporal_gan.ablation.strip_plot import Strip, strip_plot

FINISHED = {seed: Outcome(key="k", status="finished", origin=this_place(), generator_parameters=2_000_000,
                          gmac_per_frame=0.5) for seed in range(3)}  # fmt: skip
METRICS = ("foreground_psnr_pooled", "sharpness_ratio", "reader_pck@0.1")


def scores_of(*rows: Row, aside: dict[str, Outcome] | None = None, judged_alike: bool = True) -> Scores:
    clips = rows[0].values["reader_pck@0.1"].shape[1]
    names = tuple(f"clip {i}" for i in range(clips))
    return Scores(names, ("hana",) * clips, rows, aside or {}, judged_alike)


def test_mean_and_interval_of_seeds_and_clips_together() -> None:
    """Against the plain simulation of a world where seeds and clips both matter: nominal 95 % covers about that."""
    covered, widths = 0, []
    for world in range(20):
        random = np.random.default_rng(world)
        table = random.normal(0, 1, (8, 1)) + random.normal(0, 1, (1, 12)) + random.normal(0, 0.5, (8, 12))
        found = estimate([table], 0)[0]
        assert found is not None
        assert found.interval is not None
        assert found.mean == pytest.approx(table.mean())
        covered += found.interval[0] <= 0 <= found.interval[1]
        widths.append(found.interval[1] - found.interval[0])
    # Standard error of the mean: sqrt(1/8 + 1/12 + 1/4/96) = 0.46.
    assert 1.2 < np.mean(widths) < 2.6
    assert covered >= 16


def test_three_seeds_alone_are_no_test() -> None:
    """What the table and the docstring say of intervals of three seeds, by simulation: all that varies are seeds."""
    worlds = 300
    draws = np.random.default_rng(0)
    tables = [np.repeat(draws.normal(0, 1, (3, 1)), 16, axis=1) for _ in range(worlds)]
    wrong = sum(
        not found.interval[0] <= 0 <= found.interval[1]
        for found in estimate(tables, 0)
        if found and found.interval
    )
    # All three on one side of 0: one world in four; the standard error of 300 worlds is 0.025.
    assert 0.16 < wrong / worlds < 0.32


def test_clips_of_a_character_are_drawn_together() -> None:
    """Sixteen clips of four characters that say the same four times are no more than four."""
    one_each = np.random.default_rng(1).normal(0, 1, (3, 4))
    four_each = np.repeat(one_each, 4, axis=1)
    characters = [name for name in "abcd" for _ in range(4)]
    (alone,), (together,), (few,) = (
        estimate([four_each], 0), estimate([four_each], 0, characters), estimate([one_each], 0)
    )  # fmt: skip
    assert alone is not None
    assert together is not None
    assert few is not None
    assert together.interval == pytest.approx(few.interval)
    assert alone.interval is not None
    assert few.interval is not None
    assert alone.interval[1] - alone.interval[0] < 0.8 * (few.interval[1] - few.interval[0])


def test_a_difference_is_paired() -> None:
    """Seeds and clips differ much, arms by exactly one: the interval of the difference has no width."""
    base = np.random.default_rng(0).normal(0, 10, (3, 6))
    wide, paired = estimate([base, base + 1 - base], 0)
    assert wide is not None
    assert paired is not None
    assert paired.interval == (1.0, 1.0)
    assert wide.interval is not None
    assert wide.interval[1] - wide.interval[0] > 3


def test_what_is_missing_counts_for_nothing() -> None:
    table = np.arange(12.0).reshape(3, 4)
    hole = table.copy()
    hole[1, 2] = np.nan
    lost = table.copy()
    lost[2] = np.nan
    nothing = np.full((3, 4), np.nan)
    floor = np.arange(4.0)[None]
    full, holed, lost_seed, none, of_clips = estimate([table, hole, lost, nothing, floor], 0)
    assert none is None
    assert full is not None
    assert (full.mean, full.seeds) == (5.5, 3)
    assert holed is not None
    assert holed.mean == pytest.approx((66 - 6) / 11)
    assert lost_seed is not None
    assert (lost_seed.mean, lost_seed.interval, lost_seed.seeds) == (3.5, None, 2)
    assert of_clips is not None
    assert of_clips.mean == 1.5
    assert of_clips.interval is not None
    assert 0 <= of_clips.interval[0] < 1.5 < of_clips.interval[1] <= 3
    two_seeds = estimate([table[:2], floor], 0)
    assert all(found is not None and found.interval is None for found in two_seeds)


def row(name: str, level: float, outcomes: dict[int, Outcome], seeds: int = 3) -> Row:
    values = {m: level + np.arange(seeds)[:, None] / 10 + np.arange(4)[None] for m in METRICS}
    values["reader_pck@0.1"] = np.full((seeds, 4), 0.7 if level == 11 else 0.9)
    return Row(name, not outcomes, outcomes, values)


def test_the_answer_in_words(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, seeds=[0, 1, 2])
    lost = FINISHED | {2: Outcome(key="k", status="diverged", reason="at step 7", origin=this_place())}
    arm = row("with memory", 11.0, lost)
    for table in arm.values.values():
        table[2] = np.nan
    floors = row("first frame copied", 5.0, {}, 1)
    scores = scores_of(row("per frame", 10.0, FINISHED), arm, floors)
    answer = find_answer(sweep, scores)
    base, memory, floor = answer.rows
    assert base.cells["foreground_psnr_pooled"].text.startswith("11.60 [")
    assert base.gaps == {} == floor.gaps
    assert memory.gaps["foreground_psnr_pooled"].text == "+1.00", "a seed is missing, so no interval"
    assert memory.notes == (
        "seed 2 diverged: at step 7", "under-trained: joints read in place (PCK@0.1) 0.70 < 0.8"
    )  # fmt: skip
    assert answer.readings == (
        "with memory: +1.00 dB against per frame; no interval, so nothing is said of it.",
    )  # fmt: skip
    assert (base.parameters, base.gmac, base.notes) == ("2.000", "0.500", ())
    assert floor.is_floor
    assert any("1 runs diverged or failed" in warning for warning in answer.warnings)
    assert any("seeds 0, 1, 2" in line for line in answer.conditions)


PSNR = "foreground_psnr_pooled"


@pytest.mark.parametrize(
    ("primary", "base", "level", "spread", "said"),
    [
        (PSNR, 10.0, 12.0, 0.0, "+2.00 [+2.00, +2.00] dB against per frame; better, with 3 of 3 seeds."),
        (PSNR, 10.0, 9.0, 0.0, "-1.00 [-1.00, -1.00] dB against per frame; worse, with 3 of 3 seeds."),
        (PSNR, 10.0, 10.0, 1.0, "no difference shown."),
        # Further above 1 than the base was below it.
        ("sharpness_ratio", 0.9, 1.5, 0.0, "+0.60 [+0.60, +0.60] against per frame; worse, with 3 of 3 seeds."),
        ("sharpness_ratio", 0.5, 0.9, 0.0, "better, with 3 of 3 seeds."),
        # As far above 1 as the base is below it.
        ("sharpness_ratio", 0.8, 1.25, 0.0, "+0.45 [+0.45, +0.45] against per frame; no difference shown."),
        ("sharpness_ratio", 0.5, 0.0, 0.0, "worse, with 3 of 3 seeds."),
    ],
)  # fmt: skip
def test_no_more_is_said_than_the_interval_allows(
    tmp_path: Path, primary: str, base: float, level: float, spread: float, said: str
) -> None:
    sweep = sweep_of(tmp_path, seeds=[0, 1, 2], primary=primary, secondary=[])
    flat, moved = np.full((3, 4), base), np.full((3, 4), level)
    moved[:, ::2] += spread
    moved[:, 1::2] -= spread
    task = {"reader_pck@0.1": np.full((3, 4), 0.9)}
    rows = (
        Row("per frame", False, FINISHED, {primary: flat} | task),
        Row("with memory", False, FINISHED, {primary: moved} | task),
    )
    (reading,) = find_answer(sweep, scores_of(*rows)).readings
    assert reading.startswith("with memory: ")
    assert reading.endswith(said)


def test_in_a_cumulative_sweep_each_arm_is_compared_with_the_one_before(tmp_path: Path) -> None:
    arms = {"gru": {"model.temporal": "gru"}, "conv": {"model.temporal": "conv"}}
    levels = {"per frame": 10.0, "gru": 12.0, "conv": 11.5}
    scores = scores_of(*(row(name, level, FINISHED) for name, level in levels.items()))
    for cumulative, gaps in ((False, ("+2.00", "+1.50")), (True, ("+2.00", "-0.50"))):
        sweep = sweep_of(tmp_path, seeds=[0, 1, 2], arms=arms, cumulative=cumulative)
        answer = find_answer(sweep, scores)
        found = [row.gaps["foreground_psnr_pooled"].text.split()[0] for row in answer.rows if row.gaps]
        assert tuple(found) == gaps
        assert ("against gru" in answer.readings[1]) == cumulative
        assert gap(sweep, scores, scores.row("conv"), "sharpness_ratio").mean() == pytest.approx(
            float(gaps[1])
        )


def test_clips_without_a_value_are_told(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, seeds=[0, 1, 2])
    arm = row("with memory", 9.0, FINISHED)
    arm.values["sharpness_ratio"][:, 1:] = np.nan
    base = row("per frame", 10.0, FINISHED)
    for table in (arm, base):
        # Of this clip nobody has a value.
        table.values["foreground_psnr_pooled"][:, 0] = np.nan
    first, second = find_answer(sweep, scores_of(base, arm)).rows
    assert first.notes == ()
    assert second.notes == ("Sharpness, made / real: known for 3 of 12 clips of all seeds",)


def test_the_dcgan_is_not_blamed_for_a_pose_it_never_heard_of(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, seeds=[0, 1, 2])
    scores = scores_of(row("per frame", 11.0, FINISHED), row(DCGAN_ARM, 11.0, FINISHED))
    base, dcgan = find_answer(sweep, scores).rows
    assert [note.partition(":")[0] for note in base.notes] == ["under-trained"]
    assert dcgan.notes == ()


def test_other_judges_and_lost_floors_are_told(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, seeds=[0, 1, 2])
    lost = Outcome(key="k", status="failed", reason="no space left", origin=this_place())
    arms = row("per frame", 10.0, FINISHED), row("with memory", 12.0, FINISHED)
    told = find_answer(sweep, scores_of(*arms, aside={FLOORS: lost}, judged_alike=False)).warnings
    assert "The floors that need no training were not scored: no space left." in told
    assert any("by different readers" in line for line in told)
    other = lost.model_copy(update={"origin": lost.origin.model_copy(update={"code": "another"})})
    assert any(
        "versions of the code" in w
        for w in find_answer(sweep, scores_of(*arms, aside={FLOORS: other})).warnings
    )


def test_conditions_count_the_clips_of_each_motion(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path)
    told = find_answer(sweep, scores_of(row("per frame", 10.0, FINISHED), row("with memory", 12.0, FINISHED)))
    counts = re.findall(
        r"(\w[\w-]*) \((\d+)\)", next(line for line in told.conditions if line.startswith("Data"))
    )
    assert sum(int(count) for _, count in counts) == 2
    assert {motion for motion, _ in counts} <= {"wave", "dance", "run"}


def test_every_point_has_the_name_of_its_own_seed(tmp_path: Path) -> None:
    """Also where an earlier seed was not run yet."""
    sweep = sweep_of(tmp_path, seeds=[5, 0, 1])
    late = {seed: FINISHED[seed] for seed in (0, 1)}
    rows = [row(name, level, late) for name, level in (("per frame", 10.0), ("with memory", 12.0))]
    for table in rows:
        for values in table.values.values():
            values[0] = np.nan
    scores = scores_of(*rows)
    own, gaps = page._plots("sharpness_ratio", find_answer(sweep, scores), scores, sweep)
    assert re.findall(r"<title>(seed \d): ([\d.]+)", own)[:2] == [("seed 0", "11.60"), ("seed 1", "11.70")]
    assert re.findall(r"<title>(seed \d)", gaps) == ["seed 0", "seed 1"]


def test_runs_of_other_code_and_other_sizes_are_told(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, seeds=[0, 1, 2], equal="parameters")
    origin = this_place().model_copy(update={"code": "another"})
    other = {
        s: o.model_copy(update={"origin": origin, "generator_parameters": 2_200_000})
        for s, o in FINISHED.items()
    }
    scores = scores_of(row("per frame", 10.0, FINISHED), row("with memory", 12.0, other))
    told = find_answer(sweep, scores).warnings
    assert "The runs were made by different versions of the code: see each outcome.json." in told
    assert "Not equal in parameters, beyond 5 %: with memory." in told
    dcgan = {s: o.model_copy(update={"generator_parameters": 9_000_000}) for s, o in FINISHED.items()}
    scores = scores_of(row("per frame", 10.0, FINISHED), row(DCGAN_ARM, 12.0, dcgan))
    assert not any("Not equal" in line for line in find_answer(sweep, scores).warnings)


def test_every_seed_is_a_point_and_a_far_floor_does_not_press_the_arms_together() -> None:
    strips = [
        Strip("a <b>", False, [("seed 0", 1.0), ("seed 1", 2.0)], 1.5, (1.0, 2.0)),
        Strip("c", False, [("seed 0", 1.2), ("seed 1", 1.4)], 1.3, (1.1, 1.5)),
        Strip("far", True, [], 90.0, None),
        Strip("near", True, [], 0.9, (0.5, 1.2)),
        Strip("none", False, [], None, None),
    ]
    svg = strip_plot(strips, "dB & more", 2)
    drawn = ElementTree.fromstring(svg)
    points = list(drawn.iter("circle"))
    assert len(points) == 4
    xs = [float(c.attrib["cx"]) for c in points]
    assert xs[1] - xs[0] > 150, "a dB is wide"
    # The same scale for all rows.
    assert (xs[3] - xs[2]) / (xs[1] - xs[0]) == pytest.approx(0.2, rel=0.01)
    text = "".join(drawn.itertext())
    assert "90.00 →" in text
    assert "no value" in text
    assert "a <b>" in text
    assert not re.search(r"nan|inf", svg)


def test_arms_that_are_alike_look_alike() -> None:
    strips = [
        Strip(name, False, [("seed 0", mean)], mean, None) for name, mean in (("a", 16.35), ("b", 16.352))
    ]
    xs = [float(c.attrib["cx"]) for c in ElementTree.fromstring(strip_plot(strips, "dB", 2)).iter("circle")]
    assert 0 < xs[1] - xs[0] < 2


def test_no_difference_is_always_on_the_axis() -> None:
    strips = [Strip("a", False, [("seed 0", 2.0), ("seed 1", 2.5)], 2.25, (1.9, 2.6))]
    drawn = ElementTree.fromstring(strip_plot(strips, "dB", 2, origin=0.0))
    lines = {line.attrib["class"]: line for line in drawn.iter("line")}
    origin, bar = lines["origin"], lines["bar arm"]
    points = [float(c.attrib["cx"]) for c in drawn.iter("circle")]
    assert (
        190
        < float(origin.attrib["x1"])
        < float(bar.attrib["x1"])
        < min(points)
        < float(bar.attrib["x2"])
        < 490
    )


def test_gap_of_two_clips() -> None:
    first = np.zeros((2, 3, 3, 3), np.uint8)
    second = first.copy()
    second[0, 1, 1] = 255
    assert mean_gap(first, second)[1, 1] == pytest.approx(0.5)
    assert mean_gap(first, second).sum() == pytest.approx(0.5)
