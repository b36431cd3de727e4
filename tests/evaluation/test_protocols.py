"""Protocols are complete, give no value for less than they ask for, and no frozen or shuffled clip wins them."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from small_runs import call
from test_features import alexnet_file  # noqa: F401
from torch import Tensor

from temporal_gan.data.store import Store
from temporal_gan.evaluation.anchors import saved_as_jpeg, shuffled_order
from temporal_gan.evaluation.clip_pairs import ClipPair, frames_to_tensor
from temporal_gan.evaluation.comparison import compare_results, too_few_to_tell, write_comparison
from temporal_gan.evaluation.definitions import DEFINITIONS, HEADLINE
from temporal_gan.evaluation.metric_definition import closeness
from temporal_gan.evaluation.pairing import pair_files
from temporal_gan.evaluation.protocols import PROTOCOLS, SET_PROTOCOLS
from temporal_gan.evaluation.reader_metrics import READER_METRICS
from temporal_gan.evaluation.results import Results
from temporal_gan.evaluation.run import evaluate
from temporal_gan.features import load_lpips, lpips_distances
from temporal_gan.puppet import PuppetSpec, random_specs, render_clip
from temporal_gan.puppet.dataset import write_puppet_store

CLIPS = PROTOCOLS["clips_v1"]
READ = {metric.name for metric in READER_METRICS}
"""They need a trained reader: benchmarks/distortion_battery.py says who wins them."""


@pytest.fixture(scope="module")
def puppets() -> list[ClipPair]:
    """Three clips that move, with exact flow and joints, each made perfectly."""
    pairs = []
    for index, (character, motion) in enumerate((("hana", "walk"), ("miko", "wave"), ("hana", "jump"))):
        clip = render_clip(PuppetSpec(character, motion, "happy", frames=5, size=48, seed=index), True)
        video = frames_to_tensor(clip.video)
        pairs.append(
            ClipPair(
                f"{motion}", video, video, 24.0, character,
                torch.from_numpy(clip.keypoints).float(), torch.from_numpy(clip.confidence).float(),
                torch.from_numpy(clip.flow).float(), torch.from_numpy(clip.flow_valid),
                other_real=torch.zeros(1, 3, 8, 8),
            )
        )  # fmt: skip
    return pairs


def white(video: Tensor) -> Tensor:
    return (video[:, :3] + 1 - video[:, 3:]).clamp(0, 1)


def noisy(video: Tensor) -> Tensor:
    noise = torch.randn(video.shape, generator=torch.Generator().manual_seed(0))
    return (video + 0.02 * noise).clamp(0, 1)


def blurred(video: Tensor) -> Tensor:
    frames = [cv2.GaussianBlur(f.permute(1, 2, 0).numpy(), (0, 0), 0.8) for f in video]
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).clamp(0, 1)


def flickering(video: Tensor) -> Tensor:
    gain = 1 + 0.02 * torch.randn(len(video), 1, 1, 1, generator=torch.Generator().manual_seed(0))
    return (video * gain).clamp(0, 1)


FAIR = {"jpeg": saved_as_jpeg, "noise": noisy, "blur": blurred, "flicker": flickering}


def score(puppets: list[ClipPair], change: Any) -> Results:
    made = [dataclasses.replace(p, made=change(white(p.made))) for p in puppets]
    return evaluate(made, CLIPS)


@pytest.fixture(scope="module")
def bad(puppets: list[ClipPair]) -> list[dict[str, float | None]]:
    """Frozen and shuffled, as anchors and handed in as if a method had made them."""
    frozen = score(puppets, lambda v: v[:1].expand_as(v))
    shuffled = score(puppets, lambda v: v[torch.from_numpy(shuffled_order(len(v), 1, "x"))])
    anchors = frozen.anchor_values()
    handed_in = [{name: results.metric(name)["value"] for name in HEADLINE} for results in (frozen, shuffled)]
    return [anchors["copy_first_frame"], anchors["shuffled"], *handed_in]  # type: ignore[list-item]


@pytest.mark.parametrize("name", FAIR)
def test_freeze_and_shuffle_never_win_a_headline_row(
    puppets: list[ClipPair], bad: list[dict[str, float | None]], name: str
) -> None:
    fair = score(puppets, FAIR[name])
    for metric in (m for m in HEADLINE if m not in READ):
        value = fair.metric(metric)["value"]
        assert isinstance(value, float)
        for loser in bad:
            other = loser[metric]
            assert other is not None
            near, far = closeness(DEFINITIONS[metric], value), closeness(DEFINITIONS[metric], other)
            assert near is not None
            assert far is not None
            # PCK only counts: all joints in place is a draw at best.
            assert near > far or (metric == "pck@0.1" and near == far == 1), (metric, value, other)


def test_a_frozen_clip_would_win_along_its_own_motion_and_so_that_row_stands_beside_others(
    puppets: list[ClipPair], bad: list[dict[str, float | None]]
) -> None:
    entry = score(puppets, noisy).metric("warping_error_own_flow")
    assert bad[0]["warping_error_own_flow"] == pytest.approx(0, abs=1e-9)
    assert entry["value"] > 1e-5  # type: ignore[operator]
    assert entry["warping_error_reference_flow"] > 0  # type: ignore[operator]
    assert entry["motion_ratio"] is not None
    assert entry["kept_fraction"] is not None
    assert "warping_error_own_flow" not in HEADLINE


def test_ratios_are_judged_by_how_many_times_off_they_are() -> None:
    ratio = DEFINITIONS["motion_ratio"]
    assert closeness(ratio, 2.0) == pytest.approx(closeness(ratio, 0.5))
    assert closeness(ratio, 0.0) == -math.inf
    assert closeness(DEFINITIONS["warping_error_real"], 1.0) is None


@pytest.mark.parametrize("protocol", [*PROTOCOLS.values(), *SET_PROTOCOLS.values()], ids=lambda p: p.name)
def test_a_protocol_says_everything_that_could_change_a_number(protocol: Any) -> None:
    said = protocol.to_dict()
    for field in (
        "name",
        "description",
        "split",
        "stride",
        "fps",
        "size",
        "region",
        "seed",
        "flow",
        "background",
    ):
        assert field in said, field
    json.dumps(said)
    assert protocol.name == protocol.name.lower()


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Store:
    specs = random_specs(10, 0, ("hana", "miko"), ("walk", "jump"), ("happy",), frames=3, size=32)
    path = tmp_path_factory.mktemp("held") / "store"
    return write_puppet_store(path, specs, 0, "flow", quiet=True, hold_out_motions=("jump",))


@pytest.mark.slow
def test_a_held_out_protocol_scores_its_split_whole_or_not_at_all(
    held_out: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "puppet_heldout_motion_v1"
    count = len(held_out.split("test_motion"))
    assert count < 16
    out = tmp_path / "few"
    assert call("evaluate", held_out.path, held_out.path, "--protocol", name, "--out", out, "--quiet") == 0
    found = json.loads((out / "results.json").read_text())
    for metric in found["metrics"]:
        assert metric["value"] is None
        assert metric["reason"].startswith(f"{name} asks for 16 clips or more, got {count}")
    assert len(found["clips"]) == count
    assert found["protocol"]["split"] == "test_motion"
    # The same with enough clips, and then with one of them missing.
    protocol = dataclasses.replace(PROTOCOLS[name], fewest_clips=3)
    pairs = pair_files(held_out.path, held_out.path, "test_motion")
    whole = evaluate(pairs, protocol)
    assert whole.metric("psnr")["value"] == 100
    assert whole.metric("warping_error_reference_flow")["flow"] == {"exact": count}
    pairs.missing.append("puppet_9")
    lost = evaluate(pairs, protocol).metric("psnr")
    assert lost["value"] is None
    assert "1 of its clips could not be scored or were not made (first: puppet_9)" in lost["reason"]  # type: ignore[operator]
    other = ("--protocol", name, "--split", "test", "--out", out, "--quiet")
    assert call("evaluate", held_out.path, held_out.path, *other) == 2
    assert "is about split test_motion" in capsys.readouterr().err


@pytest.mark.slow
def test_characters_are_resampled_whole_where_they_are_what_is_new(puppets: list[ClipPair]) -> None:
    protocol = dataclasses.replace(CLIPS, interval_unit="character")
    entry = evaluate(puppets, protocol).metric("psnr")
    assert entry["interval"] is None
    assert entry["interval_reason"] == "2 character(s); a bootstrap needs three or more"
    assert evaluate(puppets, CLIPS).metric("psnr")["interval"] == [100, 100]


def test_of_many_clips_some_evenly_spaced_ones_carry_the_anchors(puppets: list[ClipPair]) -> None:
    protocol = dataclasses.replace(CLIPS, anchor_clips=1)
    results = evaluate(puppets, protocol)
    assert [bool(clip.anchors) for clip in results.clips] == [False, True, False]
    assert results.anchor_values()["shuffled"]["psnr"] == results.clips[1].anchors["shuffled"].values["psnr"]


def test_lpips_and_tlp_where_there_are_weights(puppets: list[ClipPair], alexnet_file: Path) -> None:  # noqa: F811
    pair = dataclasses.replace(puppets[0], made=noisy(white(puppets[0].made))[:3], real=puppets[0].real[:3])
    pair = dataclasses.replace(pair, keypoints=None, confidence=None, flow=None, flow_valid=None)
    results = evaluate([pair], CLIPS, lpips=alexnet_file)
    network, real = load_lpips(alexnet_file), white(pair.real)
    assert results.metric("lpips")["value"] == pytest.approx(
        float(lpips_distances(network, pair.made, real).mean()), rel=1e-4
    )
    steps = [lpips_distances(network, v[:-1], v[1:]) for v in (pair.made, real)]
    expected = float((steps[0] - steps[1]).abs().mean())
    assert results.metric("perceptual_change_distance")["value"] == pytest.approx(expected, rel=1e-4)
    assert len(str(results.metric("lpips")["weights_sha256"])) == 64
    frozen = results.anchor_values()["copy_first_frame"]
    assert frozen["perceptual_change_excess"] == pytest.approx(-float(steps[1].mean()), rel=1e-4)


def written(results: Results, out: Path) -> Path:
    results.write(out / "results.json")
    return out


def test_compare_finds_the_better_one_and_corrects_for_many_metrics(
    puppets: list[ClipPair], tmp_path: Path
) -> None:
    def five_times(results: Results) -> Results:
        results.clips = [
            dataclasses.replace(clip, clip_id=f"{clip.clip_id}{i}")
            for clip in results.clips
            for i in range(5)
        ]
        return results

    a = written(five_times(score(puppets, saved_as_jpeg)), tmp_path / "a")
    b = written(five_times(score(puppets, lambda v: noisy(blurred(v)))), tmp_path / "b")
    found = {row.metric.name: row for row in compare_results(a, b)}
    psnr = found["foreground_psnr"]
    assert psnr.clips == 15
    assert psnr.better == "first"
    assert psnr.difference == pytest.approx(psnr.first - psnr.second)
    assert psnr.interval is not None
    assert psnr.interval[0] < psnr.difference < psnr.interval[1]
    assert psnr.adjusted >= psnr.p_value
    assert found["sharpness_ratio"].better == "first"
    assert "warping_error_real" not in found
    assert "warping_error_own_flow" not in found
    turned = {row.metric.name: row for row in compare_results(b, a)}
    assert turned["foreground_psnr"].better == "second"
    assert turned["foreground_psnr"].difference == pytest.approx(-psnr.difference)
    assert all(row.better is None for row in compare_results(a, a))
    assert not too_few_to_tell(list(found.values()))
    write_comparison(list(found.values()), a, b, tmp_path / "comparison.json")
    assert json.loads((tmp_path / "comparison.json").read_text())["metrics"][0]["better"] == "first"


@pytest.mark.slow
def test_compare_refuses_what_cannot_be_compared_and_names_the_difference(
    puppets: list[ClipPair], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = written(evaluate(puppets, CLIPS), tmp_path / "base")
    frames = written(evaluate(puppets, PROTOCOLS["frames_v1"]), tmp_path / "frames")
    fewer = written(evaluate(puppets[:2], CLIPS), tmp_path / "fewer")
    darker = [dataclasses.replace(p, real=p.real * 0.9) for p in puppets]
    other = written(evaluate(darker, CLIPS), tmp_path / "other")
    (tmp_path / "rubbish.json").write_text("{}")
    for second, words in (
        (frames, "protocols differ in name: 'clips_v1' and 'frames_v1'"),
        (fewer, "1 clips are only in one of them, 'jump' only in"),
        (other, "3 real clips show different pictures, first 'walk'"),
        (tmp_path / "rubbish.json", "is no results.json of temporal-gan evaluate"),
        (tmp_path / "nowhere", "No such file"),
    ):
        assert call("compare", base, second, "--out", tmp_path / "out") == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
