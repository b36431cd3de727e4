"""Scoring pairs: invariants, anchors, what is refused, and a results.json that any reader can parse."""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from temporal_gan.errors import UserError
from temporal_gan.evaluation.anchors import shuffled_order
from temporal_gan.evaluation.clip_pairs import ClipPair, known_joints
from temporal_gan.evaluation.protocols import PROTOCOLS
from temporal_gan.evaluation.reader_metrics import READER_METRICS
from temporal_gan.evaluation.run import evaluate
from temporal_gan.metrics.paired import psnr
from temporal_gan.weights import ALEXNET

NEED_LPIPS = ("lpips", "perceptual_change_distance", "perceptual_change_excess")
READ = {metric.name for metric in READER_METRICS}
CLIPS, FRAMES = PROTOCOLS["clips_v1"], PROTOCOLS["frames_v1"]


def dancer(frames: int = 6, size: int = 48, phase: float = 0.0, alpha: bool = False) -> torch.Tensor:
    """A two-part figure that sways: [T, 3 or 4, size, size], RGBA premultiplied."""
    clip = np.zeros((frames, size, size, 4), np.float32)
    for t in range(frames):
        x = size / 2 + size / 8 * np.sin(phase + 0.6 * t)
        canvas = np.zeros((size, size, 4), np.float32)
        cv2.circle(canvas, (round(x), size // 3), size // 7, (0.9, 0.7, 0.6, 1), -1)
        cv2.rectangle(canvas, (round(x) - 7, size // 2), (round(x) + 7, size - 6), (0.2, 0.3, 0.8, 1), -1)
        cv2.rectangle(
            canvas, (round(x) - 7, size * 2 // 3), (round(x) + 7, size * 2 // 3 + 3), (0.9, 0.9, 0.2, 1), -1
        )
        clip[t] = canvas
    video = torch.from_numpy(clip).permute(0, 3, 1, 2)
    return video if alpha else video[:, :3] + 1 - video[:, 3:]


def joints(frames: int = 6, size: int = 48, phase: float = 0.0) -> torch.Tensor:
    """Head, neck, hip of the dancer: [T, 3, 2] in [0, 1]."""
    x = torch.tensor([round(size / 2 + size / 8 * np.sin(phase + 0.6 * t)) for t in range(frames)])
    y = torch.tensor([size // 3, size // 2, size * 2 // 3])
    points = torch.stack([x[:, None].expand(-1, 3), y.expand(frames, -1)], dim=-1).float()
    return (points + 0.5) / size


def pair(index: int = 0, made: torch.Tensor | None = None) -> ClipPair:
    real = dancer(phase=index)
    return ClipPair(f"clip{index}", real if made is None else made, real, 12.0, "aki", joints(phase=index))


def values(results: object, *names: str) -> list[object]:
    return [results.metric(name)["value"] for name in names]  # type: ignore[attr-defined]


def test_identical_clips_have_the_ideal_value_of_every_metric() -> None:
    results = evaluate([pair(i) for i in range(3)], CLIPS)
    for entry in results.to_dict()["metrics"]:  # type: ignore[attr-defined]
        if entry["name"] in NEED_LPIPS:
            assert ALEXNET.source in entry["reason"]
            continue
        if entry["name"] in READ:
            continue
        # DIS smears motion over the small page: in one of the clips nothing stands still.
        assert entry["clips"] == (2 if entry["name"].startswith("flicker") else 3), entry["name"]
        assert entry["frames"] == 6 * entry["clips"]
        if entry["ideal"] is not None:
            assert entry["value"] == pytest.approx(entry["ideal"], abs=1e-9), entry["name"]
            assert entry["interval"] == pytest.approx([entry["ideal"]] * 2, abs=1e-9), entry["name"]
    error, floor = values(results, "warping_error_reference_flow", "warping_error_real")
    assert error == floor


def test_a_frozen_clip_does_not_win() -> None:
    frozen = evaluate([pair(i, dancer(phase=i)[:1].expand(6, -1, -1, -1)) for i in range(3)], CLIPS)
    good = evaluate([pair(i, (dancer(phase=i) * 0.97 + 0.01).clamp(0, 1)) for i in range(3)], CLIPS)
    assert values(frozen, "motion_ratio", "acceleration_ratio") == [0, 0]
    assert values(good, "motion_ratio")[0] == pytest.approx(1, abs=0.1)
    for name in ("foreground_psnr", "foreground_ssim", "pck@0.05"):
        assert values(good, name)[0] > values(frozen, name)[0], name  # type: ignore[operator]
    name = "warping_error_reference_flow"
    assert values(good, name)[0] < values(frozen, name)[0]  # type: ignore[operator]
    for entry in frozen.to_dict()["metrics"]:  # type: ignore[attr-defined]
        if entry["name"].startswith("warping_error"):
            assert entry["motion_ratio"] == 0


def test_anchors_are_bad_and_the_frozen_one_does_not_profit_from_its_first_frame() -> None:
    results = evaluate([pair(i) for i in range(3)], CLIPS)
    anchors = results.anchor_values()
    # No clip names another character.
    assert anchors.pop("other_character")["psnr"] is None
    assert set(anchors) == {"real_saved_as_jpeg", "copy_first_frame", "shuffled"}
    assert 25 < anchors["real_saved_as_jpeg"]["psnr"] < 50  # type: ignore[operator]
    assert anchors["copy_first_frame"]["motion_ratio"] == 0
    assert anchors["shuffled"]["motion_ratio"] > 1.2  # type: ignore[operator]
    # One frame in six at the cap of 100 dB would lift a mean of 13 dB to 27.
    clips = [dancer(phase=i)[None] for i in range(3)]
    expected = np.mean([float(psnr(clip[:, :1].expand(-1, 5, -1, -1, -1), clip[:, 1:])) for clip in clips])
    assert anchors["copy_first_frame"]["psnr"] == pytest.approx(expected)


def test_nearest_training_frame_is_an_anchor_like_the_others() -> None:
    results = evaluate([pair()], CLIPS, nearest_training_frame=lambda p: p.real)
    assert results.anchor_values()["nearest_training_frame"]["psnr"] == 100
    with pytest.raises(UserError, match="clip0.*expected 6 frames"):
        evaluate([pair()], CLIPS, nearest_training_frame=lambda p: p.real[:3])


def test_scores_do_not_depend_on_the_other_clips_or_their_order() -> None:
    made = [(dancer(phase=i) * 0.8 + 0.1).clamp(0, 1) for i in range(3)]
    pairs = [pair(i, m) for i, m in enumerate(made)]
    together = {c.clip_id: c.made.values for c in evaluate(pairs, CLIPS).clips}
    backwards = {c.clip_id: c.made.values for c in evaluate(pairs[::-1], CLIPS).clips}
    alone = evaluate(pairs[1:2], CLIPS).clips[0].made.values
    assert together == backwards
    assert alone == together["clip1"]


def test_exact_flow_is_used_where_given_and_named() -> None:
    real = dancer(size=48)[:1].expand(3, -1, -1, -1).clone()
    moving = torch.stack([real[0].roll(2 * t, dims=-1) for t in range(3)])
    flow = torch.zeros(2, 2, 48, 48)
    flow[:, 0] = 2
    valid = torch.ones(2, 1, 48, 48, dtype=torch.bool)
    valid[..., -2:] = False
    results = evaluate([ClipPair("a", moving, moving, 24.0, flow=flow, flow_valid=valid)], CLIPS)
    entry = results.metric("warping_error_reference_flow")
    assert entry["value"] == pytest.approx(0, abs=1e-9)
    assert entry["flow"] == {"exact": 1}
    assert entry["kept_fraction"] == pytest.approx(46 / 48)
    dis = evaluate([pair()], CLIPS).metric("warping_error_reference_flow")
    assert dis["flow"] == {"dis": 1}


def test_rgba_is_scored_on_white_over_its_own_silhouette() -> None:
    """A white shirt belongs to the character although it looks like the page."""
    real = dancer(alpha=True)
    real[:, :, 26:30, 20:28] = 1
    made = (real[:, :3] + 1 - real[:, 3:]).clamp(0, 1)
    results = evaluate([ClipPair("a", made, real, 12.0)], CLIPS)
    assert values(results, "psnr", "foreground_psnr") == pytest.approx([100, 100])
    page = evaluate([ClipPair("a", torch.zeros_like(real), real, 12.0)], CLIPS)
    error = (made - 1).square().mean(dim=1)
    expected = [-10 * torch.log10(e[a > 0].mean()).item() for e, a in zip(error, real[:, 3], strict=True)]
    assert values(page, "foreground_psnr")[0] == pytest.approx(np.mean(expected), abs=1e-3)


def test_a_made_clip_of_another_size_is_resized_and_this_is_recorded() -> None:
    results = evaluate([pair(made=dancer(size=24))], CLIPS)
    assert results.clips[0].resized_from == (24, 24)
    assert results.to_dict()["clips"][0]["resized_from"] == [24, 24]  # type: ignore[index]
    assert 0 < values(results, "sharpness_ratio")[0] < 0.9  # type: ignore[operator]


def test_frames_protocol_scores_single_drawings() -> None:
    singles = [
        ClipPair(f"d{i}", dancer(phase=i)[:1], dancer(phase=i)[:1], 1.0, keypoints=joints(phase=i)[:1])
        for i in range(3)
    ]
    results = evaluate(singles, FRAMES)
    assert values(results, "psnr", "pck@0.1") == [100, 1]
    motion = results.metric("motion_ratio")
    assert motion["value"] is None
    assert motion["reason"] == "frames_v1 scores single frames"
    blank = results.anchor_values()["blank_page"]
    assert blank["pck@0.1"] == 0
    assert blank["foreground_psnr"] < blank["psnr"]  # type: ignore[operator]


def test_what_cannot_be_measured_is_null_with_a_reason_and_json_has_no_nan(tmp_path: Path) -> None:
    page = torch.ones(2, 3, 10, 10)
    results = evaluate([ClipPair("blank", page, page, 24.0)], CLIPS)
    results.write(tmp_path / "results.json")
    text = (tmp_path / "results.json").read_text()
    data = json.loads(text, parse_constant=lambda name: pytest.fail(f"results.json holds {name}"))
    sections = [
        "schema",
        "protocol",
        "reference",
        "metrics",
        "anchors",
        "failed",
        "missing",
        "clips",
        "versions",
    ]
    assert list(data) == sections
    assert data == json.loads(json.dumps(results.to_dict()))
    assert data["schema"] == 1
    assert data["protocol"]["name"] == "clips_v1"
    by_name = {entry["name"]: entry for entry in data["metrics"]}
    for name in ("ssim", "foreground_psnr", "motion_ratio", "warping_error_reference_flow", "pck@0.1"):
        assert by_name[name]["value"] is None
        assert by_name[name]["reason"]
        assert by_name[name]["interval"] is None
    assert by_name["psnr"]["value"] == 100
    assert "reason" not in by_name["psnr"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["results.json"]


def test_results_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        evaluate([pair(i, dancer(phase=i + 0.1)) for i in range(3)], CLIPS).write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_failed_write_leaves_the_old_results(tmp_path: Path) -> None:
    results = evaluate([pair()], CLIPS)
    path = tmp_path / "results.json"
    path.write_text("old")
    results.clips[0].made.values["psnr"] = float("nan")
    with pytest.raises(ValueError, match="JSON compliant"):
        results.write(path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_write_that_cannot_finish_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "results.json").mkdir()
    with pytest.raises(OSError, match="results.json"):
        evaluate([pair()], CLIPS).write(tmp_path / "results.json")
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"made": dancer(frames=5)}, "clip0: made has 5 frames, expected 6"),
        ({"made": dancer() * 2 - 1}, "clip0: made has values in"),
        ({"real": dancer()[:, :2]}, r"clip0: real is .*expected float \[T, 3 or 4"),
        ({"keypoints": joints(frames=5)}, r"clip0: keypoints is \(5, 3, 2\), expected \(6, 3, 2\)"),
        ({"flow": torch.zeros(5, 2, 48, 48)}, "clip0: flow and flow_valid belong together"),
        ({"made": dancer() * float("nan")}, "clip0: made has values in"),
    ],
)
def test_a_wrong_pair_is_refused_by_name(change: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(UserError, match=message):
        evaluate([dataclasses.replace(pair(), **change)], CLIPS)  # type: ignore[arg-type]


def test_no_clips_and_repeated_clips_are_refused() -> None:
    with pytest.raises(UserError, match="no clips"):
        evaluate([], CLIPS)
    with pytest.raises(UserError, match="clip0: comes twice"):
        evaluate([pair(), pair()], CLIPS)


def test_pairs_are_read_one_at_a_time_and_progress_is_told() -> None:
    told: list[tuple[int, str]] = []
    read: list[int] = []

    class Lazy(list[ClipPair]):
        def __getitem__(self, index: int) -> ClipPair:  # type: ignore[override]
            read.append(index)
            return super().__getitem__(index)

    def progress(done: int, name: str) -> None:
        # The names are looked at first; then clip after clip.
        assert len(read) == 3 + done
        told.append((done, name))

    results = evaluate(Lazy([pair(i) for i in range(3)]), CLIPS, progress=progress)
    assert told == [(1, "clip0"), (2, "clip1"), (3, "clip2")]
    assert len(results.shown) == 3


def test_shown_clips_are_the_worst_and_the_best_in_order() -> None:
    still = dancer(frames=2)
    pairs = [
        ClipPair(f"c{i}", (still + 0.02 * i).clamp(0, 1) * (1 - 0.01 * i), still, 12.0)
        for i in (3, 9, 0, 7, 1, 5, 8, 2, 6, 4)
    ]
    shown = [clip.clip_id for clip in evaluate(pairs, FRAMES).shown]
    assert shown == ["c9", "c8", "c7", "c6", "c3", "c2", "c1", "c0"]


def test_joints_become_pixels_whose_centres_are_whole_numbers() -> None:
    keypoints = torch.tensor([[(3 + 0.5) / 8, (5 + 0.5) / 16]])[None]
    clip = torch.ones(1, 3, 16, 8)
    known = known_joints(ClipPair("a", clip, clip, 1.0, keypoints=keypoints))
    assert known is not None
    torch.testing.assert_close(known[0], torch.tensor([[[3.0, 5.0]]]))
    unlabelled = ClipPair("a", clip, clip, 1.0, keypoints=keypoints, confidence=torch.zeros(1, 1))
    assert known_joints(unlabelled) is None


@pytest.mark.parametrize("frames", [2, 3, 16])
def test_shuffled_order_moves_every_frame(frames: int) -> None:
    order = shuffled_order(frames, 0, "clip")
    assert sorted(order) == list(range(frames))
    assert not np.any(order == np.arange(frames))
    assert np.array_equal(order, shuffled_order(frames, 0, "clip"))
