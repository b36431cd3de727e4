"""Clips broken in a known way: every metric answers as it should, and no broken clip wins by standing still."""

import importlib.util
import math
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "benchmarks" / "distortion_battery.py"
_spec = importlib.util.spec_from_file_location("distortion_battery", SOURCE)
assert _spec is not None
assert _spec.loader is not None
distortion_battery = importlib.util.module_from_spec(_spec)
sys.modules["distortion_battery"] = distortion_battery
_spec.loader.exec_module(distortion_battery)

FLICKER = [f"flicker {i}%" for i in (1, 2, 5, 10)]
NOISE = [f"noise {i}" for i in ("0.01", "0.02", "0.05")]
JITTER = [f"jitter {i} px" for i in ("0.25", "0.5", "1", "2")]
PAIRED = ("PSNR", "SSIM", "SSIM char.", "E_warp", "E_warp char.", "tOF")
HEADLINE = [m for m in distortion_battery.DIRECTIONS if m not in distortion_battery.BLIND_TO_FREEZING]


@pytest.fixture(scope="module")
def table() -> dict[str, dict[str, float]]:
    return distortion_battery.battery(3, 12, 64)


def badness(metric: str, value: float) -> float:
    """Distance from the best value in the metric's own direction; ratios by their logarithm."""
    direction = distortion_battery.DIRECTIONS[metric]
    if direction == "one":
        return abs(math.log(value)) if value > 0 else math.inf
    return value if direction == "down" else -value


def worsens(table: dict[str, dict[str, float]], metric: str, rows: list[str]) -> bool:
    series = [badness(metric, table[row][metric]) for row in rows]
    return all(a < b for a, b in zip(series, series[1:], strict=False))


@pytest.mark.parametrize("metric", ["PSNR", "SSIM", "E_warp", "flicker", "tOF"])
def test_flicker_is_seen_and_more_of_it_is_worse(table: dict, metric: str) -> None:
    assert worsens(table, metric, ["clean", *FLICKER])


@pytest.mark.parametrize("metric", [*PAIRED, "E_warp own", "flicker", "motion", "flow acc."])
def test_noise_is_seen_and_more_of_it_is_worse(table: dict, metric: str) -> None:
    assert worsens(table, metric, ["clean", *NOISE])


@pytest.mark.parametrize(
    "metric",
    [*PAIRED, "motion", "flow acc.", "AKD", "acc. error", "acc. ratio", "jerk ratio", "flicker", "FPMD"],
)
def test_jitter_is_seen_and_more_of_it_is_worse(table: dict, metric: str) -> None:
    assert worsens(table, metric, ["clean", *JITTER])


@pytest.mark.parametrize("metric", HEADLINE)
def test_no_broken_clip_beats_the_clean_one_and_freezing_or_shuffling_is_never_the_best(
    table: dict, metric: str
) -> None:
    scores = {row: badness(metric, values[metric]) for row, values in table.items()}
    assert not any(math.isnan(v) for v in scores.values())
    clean = scores.pop("clean")
    # 1e-3: flow on slightly darker frames differs by rounding.
    assert clean <= min(scores.values()) + 1e-3
    for row in ("freeze", "shuffle"):
        assert scores[row] > clean + 1e-4
        assert scores[row] > min(scores.values())


def test_freezing_is_perfect_where_only_the_clip_itself_is_asked(table: dict) -> None:
    for metric in distortion_battery.BLIND_TO_FREEZING:
        assert table["freeze"][metric] == pytest.approx(0, abs=1e-9)
        assert table["freeze"][metric] <= table["clean"][metric]
    assert table["freeze"]["motion"] < 0.1
    assert table["freeze"]["acc. ratio"] < 0.1


def test_own_flow_forgives_what_the_reference_flow_sees(table: dict) -> None:
    jump = table["jitter 2 px"]
    assert jump["E_warp own"] < 2 * table["clean"]["E_warp own"]
    assert jump["E_warp"] > 10 * table["clean"]["E_warp"]


def test_only_paired_metrics_see_reversal(table: dict) -> None:
    backwards = table["reverse"]
    for metric in ("motion", "acc. ratio", "jerk ratio"):
        assert backwards[metric] == pytest.approx(1, abs=0.05)
    assert backwards["E_warp own"] == pytest.approx(table["clean"]["E_warp own"], rel=0.1)
    for metric in (*PAIRED, "AKD", "acc. error"):
        assert badness(metric, backwards[metric]) > badness(metric, table["flicker 1%"][metric])


def test_order_and_speed_show_in_the_motion(table: dict) -> None:
    assert table["speed x2"]["motion"] > 1.3
    assert table["speed x2"]["acc. ratio"] > 2
    assert table["shuffle"]["acc. ratio"] > table["speed x2"]["acc. ratio"]
    assert table["shuffle"]["flips"] > 0.3


def test_a_wrong_expression_is_for_the_expression_metrics_alone(table: dict) -> None:
    wrong, clean = table["wrong expression"], table["clean"]
    assert clean["expr. acc."] == 1
    assert wrong["expr. acc."] < 0.7
    assert (wrong["PCK@.1"], wrong["AKD"]) == (1, 0)
    assert wrong["SSIM"] > 0.97


def test_a_wrong_character_moves_right_and_looks_wrong(table: dict) -> None:
    wrong = table["wrong character"]
    assert wrong["expr. acc."] == 1
    assert wrong["motion"] == pytest.approx(1, abs=0.3)
    assert wrong["SSIM char."] < 0.6
    assert wrong["PSNR"] < table["jitter 1 px"]["PSNR"]


def test_the_same_clips_give_the_same_table_alone(table: dict) -> None:
    again = distortion_battery.battery(3, 12, 64, names=("jitter 1 px",))
    assert again["jitter 1 px"] == pytest.approx(table["jitter 1 px"], rel=1e-9)


def test_table_is_markdown_with_a_row_for_each_distortion(table: dict) -> None:
    lines = distortion_battery.markdown(table).splitlines()
    assert len(lines) == 2 + len(distortion_battery.DISTORTIONS)
    assert {line.count("|") for line in lines} == {len(distortion_battery.DIRECTIONS) + 2}
