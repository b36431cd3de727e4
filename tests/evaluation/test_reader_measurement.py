"""Ideal readings have ideal values, and every fault that is put into one costs what can be worked out by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from temporal_gan.evaluation.clip_curves import ClipCurves, read_curves, script_curves
from temporal_gan.evaluation.clip_pairs import ClipPair
from temporal_gan.evaluation.clip_results import ClipResult
from temporal_gan.evaluation.measurement_values import Measurement
from temporal_gan.evaluation.pooled_values import PooledValue, ReadClip, confusion, pool
from temporal_gan.evaluation.reader_measurement import CLIP_METRICS, measure_identity, measure_reading
from temporal_gan.evaluation.reader_metrics import POOLED_METRICS
from temporal_gan.evaluation.script import read_script
from temporal_gan.expressions import CLASSES, EXPRESSIONS, expression_track
from temporal_gan.models.reader import FACE_JOINTS, Reading
from temporal_gan.skeletons import CANONICAL25, Skeleton

SIDE = 200
HAPPY, SAD = CLASSES.index("happy"), CLASSES.index("sad")


def labelled(frames: int = 12, spec: str = "happy>sad", seed: int = 0) -> ClipPair:
    """A clip with labels of everything; its pictures are never looked at."""
    noise = np.random.default_rng(seed).standard_normal((frames + 8, 25, 2))
    steps = sum(noise[k : k + frames] for k in range(9)) / 9
    points = torch.from_numpy(0.5 + 0.08 * np.clip(steps, -2, 2) + np.linspace(-0.3, 0.3, 25)[:, None] * 0.9)
    page = torch.ones(frames, 3, SIDE, SIDE)
    return ClipPair(
        f"clip{seed}", page, page, 24.0, "aki", points.float(), torch.ones(frames, 25), skeleton=CANONICAL25,
        expression=torch.from_numpy(expression_track(spec, frames, 24.0)),
        expression_confidence=torch.ones(frames, 14), expression_names=EXPRESSIONS,
    )  # fmt: skip


def ideal(pair: ClipPair) -> Reading:
    """What a perfect reader sees in the real clip."""
    assert pair.keypoints is not None
    assert pair.expression is not None
    frames = len(pair.keypoints)
    identity = torch.nn.functional.normalize(torch.arange(1.0, 9.0), dim=0).expand(frames, -1)
    return Reading(
        pair.keypoints,
        torch.ones(frames, 25),
        pair.expression,
        torch.ones(frames),
        torch.zeros(frames, 4),
        identity,
    )


def measured(pair: ClipPair, reading: Reading, real: Reading | None = None, first: int = 0) -> Measurement:
    result = Measurement()
    script = read_script(pair, ideal(pair) if real is None else real)
    measure_reading(result, reading, script, SIDE, SIDE, pair.fps, (0.1, 0.05), None, first)
    return result


def test_an_ideal_reading_has_the_ideal_value_of_every_row() -> None:
    # Slow enough that the command is held for a moment at both ends.
    pair = labelled(60)
    result = measured(pair, ideal(pair))
    measure_identity(result, ideal(pair), ideal(pair).identity[:2])
    expected = dict.fromkeys(CLIP_METRICS, 1.0) | {
        "reader_keypoint_distance": 0.0,
        "reader_missing_rate": 0.0,
        "expression_flip_rate": 0.0,
    }
    assert result.reasons == {}
    assert result.values == pytest.approx(expected, abs=1e-6)
    assert result.against == "labels"


def test_joints_that_are_off_or_not_seen_cost_what_they_should() -> None:
    pair = labelled()
    reading = ideal(pair)
    points, confidence = reading.keypoints.clone(), reading.confidence.clone()
    # Of 25 joints one is 30 px to the right, the box being 120 px and more; another is not seen.
    points[:, 3, 0] += 30 / SIDE
    confidence[:, 7] = 0.2
    values = measured(pair, replace(reading, keypoints=points, confidence=confidence)).values
    assert values["reader_pck@0.1"] == pytest.approx(23 / 25)
    assert values["reader_missing_rate"] == pytest.approx(1 / 25)
    assert values["reader_keypoint_distance"] == pytest.approx(256 / SIDE * 15 / 24, rel=1e-4)
    # A joint that lies behind something is not scored; its label still counts for the box.
    assert pair.confidence is not None
    behind = pair.confidence.clone()
    behind[:, 3] = behind[:, 7] = 0.5
    hidden = measured(
        replace(pair, confidence=behind), replace(reading, keypoints=points, confidence=confidence)
    )
    assert hidden.values["reader_pck@0.05"] == 1
    # A detector's confidences say nothing about that: all of its joints are scored.
    detector = torch.full((12, 25), 0.6)
    noted = measured(
        replace(pair, confidence=detector), replace(reading, keypoints=points, confidence=confidence)
    )
    assert noted.values["reader_pck@0.1"] == pytest.approx(23 / 25)


def test_without_labels_the_real_clip_is_read_and_that_is_said() -> None:
    pair = labelled()
    real = ideal(pair)
    bare = replace(pair, keypoints=None, confidence=None, skeleton=None, expression=None, expression_names=())
    bare = replace(bare, expression_confidence=None)
    moved = replace(real, keypoints=real.keypoints + torch.tensor([30 / SIDE, 0]))
    same, other = measured(bare, real, real), measured(bare, moved, real)
    assert same.against == other.against == "reading"
    assert same.values["reader_pck@0.05"] == 1
    assert other.values["reader_keypoint_distance"] == pytest.approx(256 / SIDE * 15, rel=1e-4)
    for name in ("expression_accuracy", "expression_flip_rate"):
        assert same.reasons[name] == "the real clip carries no expression labels"


def test_coarser_joint_names_are_the_readers_too() -> None:
    pair = labelled()
    assert pair.keypoints is not None
    names = ("head", "left hand", "tail")
    animal = Skeleton("animal", names, ((0, 1), (1, 2)), (), (1, 1, 1))
    joints = [CANONICAL25.joints.index("nose"), CANONICAL25.joints.index("left_wrist"), 5]
    few = replace(
        pair, keypoints=pair.keypoints[:, joints], confidence=torch.ones(12, 3), skeleton=animal
    ).validate()
    script = read_script(few, ideal(pair))
    assert script.against == "labels"
    assert script.visible.sum(dim=1).tolist() == [2] * 12
    # It names no eyes, so the real picture says where a face is.
    assert bool(script.face.all())
    assert not read_script(few, replace(ideal(pair), face=torch.zeros(12))).face.any()


def test_expressions_count_where_the_face_can_be_seen() -> None:
    pair = labelled(spec="happy")
    reading = ideal(pair)
    sad = torch.from_numpy(expression_track("sad", 12, 24.0))
    half = replace(reading, expression=torch.cat([reading.expression[:9], sad[9:]]))
    result = measured(pair, half)
    assert result.values["expression_accuracy"] == pytest.approx(9 / 12)
    assert result.confusion == [(HAPPY, HAPPY, 9), (HAPPY, SAD, 3)]
    assert result.values["expression_flip_rate"] == pytest.approx(1 / 11)
    assert result.reasons["expression_transition_ratio"] == "the command holds one expression"
    assert "0.1 or more" in result.reasons["expression_intensity_correlation"]
    # The frozen anchor's first frame is the real one.
    assert measured(pair, half, first=1).values["expression_accuracy"] == pytest.approx(8 / 11)
    assert pair.confidence is not None
    turned = pair.confidence.clone()
    turned[6:, FACE_JOINTS[1]] = 0.5
    assert measured(replace(pair, confidence=turned), half).values["expression_accuracy"] == 1


def test_a_channel_that_is_not_labelled_is_not_a_zero() -> None:
    pair = labelled(spec="happy>sad")
    assert pair.expression_confidence is not None
    known = torch.zeros(12, 14)
    known[:, [HAPPY, SAD]] = 1
    reading = ideal(pair)
    script = read_script(replace(pair, expression_confidence=known), reading)
    assert torch.equal(script.expression_known, known > 0)
    loud = reading.expression.clone()
    loud[:, 8:] = torch.rand(12, 6)
    result = measured(replace(pair, expression_confidence=known), replace(reading, expression=loud))
    assert result.values["expression_concordance"] == pytest.approx(1)
    assert result.values["expression_transition_ratio"] == pytest.approx(1)


def test_half_the_change_drags_twice_as_little() -> None:
    pair = labelled(frames=41)
    slow = torch.from_numpy(expression_track("happy>sad", 41, 24.0))
    fast = torch.cat([slow[:1].expand(10, -1), slow[::2], slow[-1:].expand(10, -1)])
    result = measured(pair, replace(ideal(pair), expression=fast))
    assert result.values["expression_transition_ratio"] == pytest.approx(0.5, abs=0.03)


def test_identity_is_null_without_another_clip() -> None:
    pair = labelled()
    result = Measurement()
    measure_identity(result, ideal(pair), None)
    assert "no other clip of the same character" in result.reasons["identity_consistency"]


SPECS = ("happy>sad>happy", "neutral>angry", "surprised>neutral>scared", "sad>disgusted", "angry>happy",
         "embarrassed>neutral", "scared>sad>angry", "neutral>happy>neutral", "disgusted>surprised")  # fmt: skip


def performed(late: int = 0, deal: int = 0, frames: int = 70) -> list[ReadClip]:
    """Nine long clips; the made faces come late, or are those of other clips."""
    pairs = [labelled(frames, spec, seed) for seed, spec in enumerate(SPECS)]
    clips = []
    for index, pair in enumerate(pairs):
        face = pairs[(index + deal) % len(pairs)].expression
        assert face is not None
        shown = torch.cat([face[:1].expand(late, -1), face[: frames - late]])
        made = replace(ideal(pair), expression=shown)
        result = measured(pair, made)
        script = read_script(pair, ideal(pair))
        result.curves = read_curves(made, script, pair.fps, SIDE, SIDE)
        real = script_curves(script, read_curves(ideal(pair), script, pair.fps, SIDE, SIDE))
        clips.append(ReadClip(result, real, pair.fps))
    return clips


def value(found: dict[str, PooledValue], name: str) -> float:
    number = found[name].value
    assert number is not None, found[name].reason
    return number


def test_a_face_that_follows_its_command_is_on_time_and_recognised() -> None:
    found = pool(performed(), seed=0)
    assert set(found) == set(POOLED_METRICS)
    assert value(found, "command_lag_frames") == 0
    assert value(found, "command_lag_peak") == pytest.approx(1)
    assert value(found, "swapped_label_auc") == 1
    assert value(found, "coherence_gap") == pytest.approx(0)
    assert value(found, "expression_macro_f1") == 1
    beside = found["coherence_gap"]
    assert (beside.clips, beside.frames) == (9, 9 * 70)
    assert {"made", "real", "z", "p_value", "null_mean"} <= set(beside.details)
    alignment = found["event_alignment"]
    assert alignment.value == alignment.details["real"]


def test_the_journal_keeps_all_that_is_pooled() -> None:
    clips = performed(late=2)
    results = [
        ClipResult("a", "aki", 24.0, 70, SIDE, SIDE, None, "none", "", clip.measurement, {"shuffled": clip.measurement},
                   clip.script)
        for clip in clips
    ]  # fmt: skip
    rows = [json.loads(json.dumps(clip.to_row(), allow_nan=False)) for clip in results]
    again = [ClipResult.from_row(row) for row in rows]
    assert pool([ReadClip(c.made, c.script, c.fps) for c in again], 0) == pool(clips, 0)
    assert pool([ReadClip(c.anchors["shuffled"], c.script, c.fps) for c in again], 0) == pool(clips, 0)
    assert [clip.to_row() for clip in again] == [clip.to_row() for clip in results]
    curves = again[0].made.curves
    assert curves is not None
    assert np.array_equal(curves.motion, curves.motion.round(6))
    # A clip's line in results.json stays small.
    assert not {"script", "made_reading", "anchor_readings"} & results[0].to_dict().keys()


def test_a_late_face_and_a_strangers_face_are_found_out() -> None:
    late = pool(performed(late=3), seed=0)
    assert value(late, "command_lag_frames") == 3
    assert value(late, "command_lag_peak") > late["command_lag_peak"].details["at_zero"]  # type: ignore[operator]
    swapped = pool(performed(deal=1), seed=0)
    assert value(swapped, "swapped_label_auc") < 0.3
    assert value(swapped, "expression_macro_f1") < 0.3
    assert pool(performed(late=3), seed=0) == late


def test_short_or_few_clips_give_no_coherence_and_say_why() -> None:
    for clips in (performed(frames=63), performed()[:7]):
        found = pool(clips, seed=0)
        assert found["coherence_gap"].value is None
        assert "64 frames or more" in found["coherence_gap"].reason
        assert found["expression_macro_f1"].value == 1
    nothing = pool([ReadClip(Measurement(reasons={"reader_pck@0.1": "no reader"}), None, 24.0)], seed=0)
    assert {(found.value, found.reason) for found in nothing.values()} == {(None, "no reader")}


def test_clips_of_several_lengths_are_cut_to_the_shortest() -> None:
    clips = performed()[:6] + performed(frames=90)[6:]
    found = pool(clips, seed=0)
    assert found["swapped_label_auc"].details["frames_each"] == 70
    assert value(found, "command_lag_frames") == 0


def test_a_frozen_face_correlates_with_nothing_and_this_is_a_reason() -> None:
    clips = []
    for clip in performed():
        assert clip.measurement.curves is not None
        still = clip.measurement.curves.intensity[:1].repeat(70, axis=0)
        clip.measurement.curves = ClipCurves(still, clip.measurement.curves.motion)
        clips.append(clip)
    found = pool(clips, seed=0)
    for name in ("command_lag_frames", "coherence_gap"):
        assert found[name].value is None
        assert "never changes" in found[name].reason
    assert found["event_alignment"].reason == "no face begins to change"


def test_confusions_add_up() -> None:
    clips = [Measurement(confusion=[(1, 2, 3)]), Measurement(confusion=[(1, 2, 4), (0, 0, 1)])]
    total: Tensor = confusion(clips)
    assert (int(total[1, 2]), int(total[0, 0]), int(total.sum())) == (7, 1, 8)
