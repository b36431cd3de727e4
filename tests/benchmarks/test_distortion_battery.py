"""Each metric sees the faults it should, the more the stronger; frozen and shuffled clips win nothing."""

import math

import pytest
from distortion_battery import BLIND, HEADLINE, loss, markdown, table

from temporal_gan.evaluation.reader_measurement import CLIP_METRICS
from temporal_gan.evaluation.reader_tool import ReaderTool
from temporal_gan.models.reader_file import find_reader, load_reader
from temporal_gan.puppet import PuppetSpec

pytestmark = pytest.mark.slow

Rows = dict[str, dict[str, float]]

FLICKER = [f"flicker {p} %" for p in (1, 2, 5, 10)]
NOISE = [f"noise {sd:g}" for sd in (0.01, 0.02, 0.05)]
JITTER = [f"jitter {px:g} px" for px in (0.25, 0.5, 1.0, 2.0)]

RESPONSES = [
    (FLICKER, ["psnr", "foreground_psnr", "ssim", "warping_error_reference_flow", "warping_error_own_flow", "flicker"]),
    (NOISE, ["psnr", "foreground_psnr", "ssim", "warping_error_reference_flow", "tof", "flicker"]),
    (
        JITTER,
        ["psnr", "ssim", "warping_error_reference_flow", "character_warping_error", "tof", "motion_ratio"]
        + ["acceleration_ratio", "jerk_ratio", "acceleration_error", "akd", "pck@0.05"],
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> Rows:
    motions = (("hana", "walk", "auto:happy"), ("miko", "wave", "auto:sad"))
    tool = ReaderTool(load_reader("metrics")) if find_reader("metrics").is_file() else None
    return table(
        [PuppetSpec(*who, seed=i, frames=16, size=64, fps=12) for i, who in enumerate(motions)], tool
    )


@pytest.mark.parametrize(
    ("faults", "metric"), [(faults, metric) for faults, metrics in RESPONSES for metric in metrics]
)
def test_a_stronger_fault_scores_worse(rows: Rows, faults: list[str], metric: str) -> None:
    losses = [loss(metric, rows[fault][metric]) for fault in ["clean", *faults]]
    # PCK saturates where every joint is still near enough.
    steps = list(zip(losses, losses[1:], strict=False))
    if metric == "pck@0.05":
        assert all(weak <= strong for weak, strong in steps)
        assert losses[-1] > losses[0]
    else:
        assert all(weak < strong for weak, strong in steps)


@pytest.mark.parametrize("metric", [m for m in HEADLINE if m != "swapped_label_auc"])
@pytest.mark.parametrize("fault", ["freeze", "shuffle"])
def test_frozen_and_shuffled_clips_win_no_headline_table(rows: Rows, metric: str, fault: str) -> None:
    if metric in CLIP_METRICS and metric not in rows["clean"]:
        pytest.skip("the package's reader is not here")
    losses = {name: loss(metric, values[metric]) for name, values in rows.items()}
    # Worse than the clip itself, and than a fault that hardly shows.
    assert losses[fault] > losses["clean"]
    assert losses[fault] > losses["flicker 1 %"]


def test_what_only_looks_at_itself_is_won_by_the_frozen_clip(rows: Rows) -> None:
    """The reason why these are no headline, and why the motion ratio stands beside every temporal score."""
    for metric in (
        "warping_error_own_flow",
        "flicker",
        "flip_rate",
        "expression_flip_rate",
        "subject_consistency",
    ):
        if metric in CLIP_METRICS and metric not in rows["clean"]:
            continue
        assert metric in BLIND
        assert loss(metric, rows["freeze"][metric]) <= loss(metric, rows["clean"][metric])
    assert rows["freeze"]["motion_ratio"] < 0.1
    assert rows["jitter 1 px"]["warping_error_own_flow"] < 3 * rows["clean"]["warping_error_own_flow"]


def test_only_paired_metrics_see_reversal(rows: Rows) -> None:
    clean, reverse = rows["clean"], rows["reverse"]
    for metric in ("motion_ratio", "acceleration_ratio", "jerk_ratio"):
        assert reverse[metric] == pytest.approx(1, abs=0.1)
    assert reverse["warping_error_own_flow"] == pytest.approx(clean["warping_error_own_flow"], rel=0.2)
    assert reverse["tof"] > 0.1
    assert reverse["warping_error_reference_flow"] > 2 * clean["warping_error_reference_flow"]


def test_speed_and_wrong_commands_are_seen(rows: Rows) -> None:
    assert rows["speed x2"]["motion_ratio"] == pytest.approx(2, abs=0.4)
    assert rows["speed x2"]["acceleration_ratio"] > 2
    assert rows["wrong expression"]["intensity_correlation"] < 0.8
    if "expression_accuracy" in rows["clean"]:
        assert rows["wrong expression"]["expression_accuracy"] < rows["clean"]["expression_accuracy"]
    assert rows["wrong character"]["foreground_psnr"] < rows["wrong expression"]["foreground_psnr"]


def test_ideal_values_of_the_clip_itself(rows: Rows) -> None:
    clean = rows["clean"]
    for metric in ("ssim", "foreground_ssim", "motion_ratio", "acceleration_ratio", "jerk_ratio", "pck@0.05"):
        assert clean[metric] == pytest.approx(1, abs=1e-9)
    for metric in ("tof", "akd", "acceleration_error", "flip_rate"):
        assert clean[metric] == 0
    assert clean["psnr"] == 100
    assert clean["pose_motion_distance"] == pytest.approx(0, abs=1e-9)


def test_the_table_names_every_fault_once(rows: Rows) -> None:
    lines = markdown(rows).splitlines()
    assert len(lines) == 2 + len(rows) == 2 + 18
    assert all(line.count("|") == lines[0].count("|") for line in lines)
    assert "warping_error_own_flow*" in lines[0]
    assert math.isinf(loss("motion_ratio", rows["freeze"]["motion_ratio"]))
