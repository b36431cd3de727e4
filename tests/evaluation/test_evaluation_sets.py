"""Sets of clips through Inception and I3D with random weights: values are checked against the functions themselves."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import call
from test_features import inception_file  # noqa: F401

from temporal_gan.evaluation.clip_sets import ClipSet
from temporal_gan.evaluation.clip_sources import find_clips
from temporal_gan.evaluation.protocols import SET_PROTOCOLS
from temporal_gan.evaluation.report import write_report
from temporal_gan.evaluation.run import EvaluationOptions
from temporal_gan.evaluation.set_results import SetResults
from temporal_gan.evaluation.set_run import evaluate_sets
from temporal_gan.evaluation.set_scores import Vectors
from temporal_gan.i3d import I3D
from temporal_gan.metrics.frechet import frechet_distance
from temporal_gan.metrics.kernel import squared_mmd
from temporal_gan.video_io import write_frames

PICTURES, CLIPS = SET_PROTOCOLS["images2048_v1"], SET_PROTOCOLS["fvd2048_16f"]


def vectors(rng: np.random.Generator, clips: int, dimensions: int = 6, shift: float = 0.0) -> Vectors:
    made = Vectors()
    for index in range(clips):
        pool = (rng.normal(size=(4, dimensions)) + shift).astype(np.float32)
        logits = rng.normal(size=(4, 10)).astype(np.float32)
        features = {"pool": pool, "logits": logits, "copy_first_frame": pool[:1].repeat(4, axis=0)}
        made.add(f"clip{index}", features, 10_000)
    return made


def small(**changes: Any) -> Any:
    return dataclasses.replace(
        PICTURES, **{"fewest": 160, "subset_size": 50, "subsets": 10, "draws": 99, **changes}
    )


def results(made: Vectors, real: Vectors, **changes: Any) -> SetResults:
    page = np.full((1, 6), 3.0, np.float32)
    return SetResults(small(**changes), (made, real), page, [], "", "0" * 64, None)


def test_values_are_those_of_the_functions_and_the_floor_lies_below_a_bad_set() -> None:
    rng = np.random.default_rng(0)
    real, alike, shifted = vectors(rng, 40), vectors(rng, 40), vectors(rng, 40, shift=1.0)
    good, bad = results(alike, real), results(shifted, real)
    assert good.metric("fid")["value"] == frechet_distance(alike.all(), real.all())
    assert good.metric("kernel_distance")["value"] == squared_mmd(alike.all(), real.all())
    assert good.metric("kernel_distance")["p_value"] > 0.05  # type: ignore[operator]
    assert bad.metric("kernel_distance")["p_value"] == 0.01
    assert bad.metric("precision")["value"] < good.metric("precision")["value"]  # type: ignore[operator]
    floor = good.anchor_values()["real_halves"]["fid_of_halves"]
    assert floor is not None
    # Halves have a bias of their own: the made halves are to be held against them, not the whole sets.
    assert good.metric("fid")["value"] < floor  # type: ignore[operator]
    assert good.metric("fid_of_halves")["value"] == pytest.approx(floor, rel=0.6)
    assert bad.metric("fid_of_halves")["value"] > 5 * floor  # type: ignore[operator]
    anchors = good.anchor_values()
    assert anchors["blank_page"]["recall"] == 0
    assert anchors["copy_first_frame"]["fid"] > good.metric("fid")["value"]  # type: ignore[operator]
    for entry in good.to_dict()["metrics"]:  # type: ignore[attr-defined]
        assert entry["interval"] is None
        assert entry["interval_reason"]


def test_fewer_than_the_protocol_takes_is_null_with_the_counts_and_the_rest_stands() -> None:
    rng = np.random.default_rng(0)
    found = results(vectors(rng, 20), vectors(rng, 40))
    entry = found.metric("fid")
    assert entry["value"] is None
    assert entry["reason"].startswith("images2048_v1 takes 160 frames of each set, got 80 made and 160 real")  # type: ignore[attr-defined]
    assert found.metric("fid_of_halves")["value"] is None
    assert found.anchor_values()["real_halves"]["fid_of_halves"] is None
    assert found.metric("kid")["value"] is not None
    assert results(vectors(rng, 12), vectors(rng, 40)).metric("kid")["value"] is None
    json.dumps(found.to_dict(), allow_nan=False)


def noisy_clips(out: Path, count: int, frames: int, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    for index in range(count):
        write_frames(out / f"c{index}.mkv", rng.integers(0, 255, (frames, 24, 24, 3), dtype=np.uint8), 12)
    return out


def test_without_weights_every_value_is_null_and_the_reason_says_where_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_GAN_WEIGHTS", str(tmp_path / "weights"))
    made = noisy_clips(tmp_path / "made", 2, 2, 0)
    for protocol, file in (("images2048_v1", "weights-inception"), ("fvd2048_16f", "i3d_pretrained_400.pt")):
        out = tmp_path / protocol
        assert call("evaluate", made, made, "--protocol", protocol, "--out", out, "--quiet") == 0
        content = json.loads((out / "results.json").read_text())
        assert content["protocol"]["name"] == protocol
        for metric in content["metrics"]:
            assert metric["value"] is None
            for part in (file, "https://", "sha256", str(tmp_path / "weights")):
                assert part in metric["reason"], part
        assert "not measured" in (out / "report.html").read_text()


@pytest.mark.slow
def test_clips_through_i3d(tmp_path: Path) -> None:
    """Random weights: the same set is at distance 0, another is not, and a repeat reads every vector back."""
    torch.manual_seed(0)
    file = tmp_path / "i3d.pt"
    torch.save(I3D().state_dict(), file)
    real = ClipSet(find_clips(noisy_clips(tmp_path / "real", 5, 11, 0)))
    noisy_clips(tmp_path / "made", 4, 11, 1)
    write_frames(tmp_path / "made" / "c9.mkv", np.zeros((8, 24, 24, 3), np.uint8), 12)
    made = ClipSet(find_clips(tmp_path / "made"))
    protocol = dataclasses.replace(CLIPS, fewest=4, parts=2, window=10)
    options = EvaluationOptions(journal=tmp_path / "features.jsonl")
    first = evaluate_sets(made, real, protocol, weights=file, options=options)
    assert first.counts()["made"] == {"clips": 4, "vectors": 4, "too_short": 1}
    assert first.counts()["real"]["clips"] == 4
    assert first.metric("fvd")["value"] > 0  # type: ignore[operator]
    again = evaluate_sets(made, real, protocol, weights=file, options=options)
    assert json.dumps(again.to_dict()) == json.dumps(first.to_dict())
    same = evaluate_sets(real, real, protocol, weights=file, options=options)
    scale = first.metric("fvd")["value"]
    assert same.metric("fvd")["value"] == pytest.approx(0, abs=1e-6 * scale)  # type: ignore[operator]
    write_report(same, tmp_path / "report.html")
    assert "real against real" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_pictures_through_inception(tmp_path: Path, inception_file: Path) -> None:  # noqa: F811
    real = ClipSet(find_clips(noisy_clips(tmp_path / "real", 4, 3, 0)))
    made = ClipSet(find_clips(noisy_clips(tmp_path / "made", 3, 2, 1)))
    protocol = dataclasses.replace(PICTURES, fewest=6, subset_size=4, subsets=3, splits=2, parts=2, draws=19)
    found = evaluate_sets(made, real, protocol, weights=inception_file)
    assert found.counts()["made"] == {"clips": 3, "vectors": 6, "too_short": 0}
    # Two clips give three frames each, and that is enough.
    assert found.counts()["real"] == {"clips": 2, "vectors": 6, "too_short": 0}
    for entry in found.to_dict()["metrics"]:  # type: ignore[attr-defined]
        assert entry["value"] is not None, entry
    same = evaluate_sets(real, real, protocol, weights=inception_file)
    assert same.metric("fid")["value"] == pytest.approx(0, abs=1e-9)
    assert same.metric("precision")["value"] == same.metric("recall")["value"] == 1
