import json

import numpy as np
import pytest
from posed import PAIRS

from temporal_gan.errors import UserError
from temporal_gan.puppet import CHARACTERS, MOTIONS, PuppetSpec, motion_keypoints, random_specs, render_clip

FACE = (
    "eye", "iris", "lids", "blush", "brow", "nose", "mouth", "muzzle", "face", "bangs", "lock", "gloss", "glass", "ear",
)  # fmt: skip


def test_same_spec_gives_the_same_bytes_and_another_seed_does_not() -> None:
    spec = PuppetSpec("miko", "walk", "auto:happy", seed=7, frames=6, size=64)
    first, again = render_clip(spec, truth=True), render_clip(spec, truth=True)
    for name in ("video", "keypoints", "confidence", "layer", "expression", "flow", "flow_valid", "part_map"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes(), name
    other = render_clip(PuppetSpec("miko", "walk", "auto:happy", seed=8, frames=6, size=64))
    assert other.video.tobytes() != first.video.tobytes()


def test_shapes_and_dtypes_follow_the_contract() -> None:
    clip = render_clip(PuppetSpec("hana", "wave", "happy:0.8", seed=1, frames=5, size=48), truth=True)
    expected = {
        "video": ((5, 48, 48, 4), np.uint8),
        "keypoints": ((5, 25, 2), np.float32),
        "confidence": ((5, 25), np.float32),
        "layer": ((5, 25), np.int64),
        "expression": ((5, 14), np.float32),
        "time": ((5,), np.float32),
        "hold": ((5,), np.int64),
        "flow": ((4, 2, 48, 48), np.float32),
        "flow_valid": ((4, 1, 48, 48), np.bool_),
        "part_map": ((5, 48, 48), np.uint8),
    }
    for name, (shape, dtype) in expected.items():
        value = getattr(clip, name)
        assert (value.shape, value.dtype) == (shape, dtype), name
    assert (clip.video[..., :3] <= clip.video[..., 3:]).all(), "colour is premultiplied by alpha"
    assert set(np.unique(clip.layer)) == {0, 1, 2}
    assert set(np.unique(clip.confidence)) == {0.5, 1.0}


def test_a_single_frame_has_no_flow() -> None:
    clip = render_clip(PuppetSpec("hana", "idle", "auto:sad", seed=1, frames=1, size=32), truth=True)
    assert clip.flow is not None
    assert clip.flow.shape == (0, 2, 32, 32)
    assert clip.flow_valid is not None
    assert clip.flow_valid.shape == (0, 1, 32, 32)


@pytest.mark.parametrize(("character", "motion"), PAIRS)
def test_the_character_stays_inside_the_frame(character: str, motion: str) -> None:
    for seed, expression in ((0, "happy:1"), (1, "angry:1")):
        spec = PuppetSpec(character, motion, expression, seed, frames=36, size=64, coupling=1.0)
        alpha = render_clip(spec).video[..., 3]
        border = np.concatenate([alpha[:, 0], alpha[:, -1], alpha[:, :, 0], alpha[:, :, -1]], axis=1)
        assert border.max() == 0, (seed, expression)
        rows = np.flatnonzero(alpha.any(axis=(0, 2)))
        if motion not in ("sit-down", "fall-asleep", "bow"):
            assert rows[-1] - rows[0] > 0.62 * 64, "and it fills the height, a child two thirds"


def test_keypoints_do_not_depend_on_size() -> None:
    small, large = (
        render_clip(PuppetSpec("miko", "jump", "auto:happy", seed=4, frames=8, size=size))
        for size in (64, 256)
    )
    np.testing.assert_array_equal(small.keypoints, large.keypoints)
    np.testing.assert_array_equal(small.confidence, large.confidence)
    # The pictures agree too. OpenCV paints the border of a polygon as well, half a sub-pixel to each side: an
    # eighth of a pixel at 64, a quarter of that at 256.
    mean = large.video.reshape(8, 64, 4, 64, 4, 4).mean(axis=(2, 4))
    difference = np.abs(mean - small.video).mean()
    assert difference < 2.0
    # A shift by one pixel would show: the bound above is not slack.
    assert np.abs(np.roll(mean, 1, axis=2) - small.video).mean() > 2.5 * difference


def test_motion_keypoints_are_those_of_the_uncoupled_clip() -> None:
    clip = render_clip(
        PuppetSpec("hana", "walk", "happy:1", seed=5, frames=10, size=32, fps=12.0, coupling=0.0)
    )
    keypoints, confidence, layer = motion_keypoints("hana", "walk", frames=10, fps=12.0, seed=5)
    np.testing.assert_array_equal(clip.keypoints, keypoints)
    np.testing.assert_array_equal(clip.confidence, confidence)
    np.testing.assert_array_equal(clip.layer, layer)


@pytest.mark.parametrize("character", CHARACTERS)
def test_without_coupling_the_expression_changes_the_face_only(character: str) -> None:
    clips = [
        render_clip(PuppetSpec(character, "idle", spec, seed=2, frames=3, size=128, coupling=0.0), truth=True)
        for spec in ("neutral", "sad:1")
    ]
    changed = (clips[0].video != clips[1].video).any(axis=-1)
    assert changed.any()
    part_map = clips[0].part_map
    assert part_map is not None
    allowed = [i + 1 for i, name in enumerate(clips[0].parts) if any(piece in name for piece in FACE)]
    # A tear or a lash may touch a pixel on the outline of the cheek.
    assert np.isin(part_map[changed], allowed).mean() > 0.995


def test_coupling_lets_the_mood_move_the_body() -> None:
    def speed(expression: str, coupling: float) -> float:
        spec = PuppetSpec("hana", "walk", expression, seed=3, frames=96, size=32, coupling=coupling)
        ankles = render_clip(spec).keypoints[:, [10, 13]]
        return float(np.abs(np.diff(ankles, axis=0)).mean())

    assert speed("happy:1", 1.0) > 1.15 * speed("neutral", 1.0)
    assert speed("sad:1", 1.0) < 0.75 * speed("neutral", 1.0)
    assert speed("happy:1", 0.0) == speed("neutral", 0.0)


@pytest.mark.parametrize(
    ("spec", "valid"),
    [
        (PuppetSpec("nobody", "walk", "happy", 0), "hana, miko"),
        (PuppetSpec("hana", "fly", "happy", 0), "idle, walk, run, wave, jump"),
        (PuppetSpec("hana", "walk", "auto:bored", 0), "neutral, happy, sad"),
        (PuppetSpec("hana", "walk", "bored", 0), "neutral, happy, sad"),
    ],
)
def test_unknown_names_are_refused_with_the_valid_ones(spec: PuppetSpec, valid: str) -> None:
    with pytest.raises(UserError, match=valid):
        render_clip(spec)


def test_random_specs_refuse_unknown_names() -> None:
    with pytest.raises(UserError, match="hana, miko"):
        random_specs(1, 0, characters=["nobody"])
    with pytest.raises(UserError, match="idle, walk, run, wave, jump"):
        random_specs(1, 0, motions=["fly"])
    with pytest.raises(UserError, match="neutral, happy, sad"):
        random_specs(1, 0, expressions=["bored"])
    with pytest.raises(UserError, match="coupling"):
        random_specs(1, 0, coupling=1.5)


@pytest.mark.parametrize("fps", [0.0, -24.0, 0.05, 241.0, float("nan"), float("inf")])
def test_frame_rates_that_no_video_has_are_refused(fps: float) -> None:
    with pytest.raises(UserError, match=r"must be from 0\.1 to 240 frames per second"):
        random_specs(1, 0, fps=fps)


def test_random_specs_are_a_function_of_seed_and_index() -> None:
    specs = random_specs(150, seed=3, characters=("hana", "miko"))
    assert random_specs(20, seed=3, characters=("hana", "miko")) == specs[:20]
    assert random_specs(20, seed=4, characters=("hana", "miko")) != specs[:20]
    assert len({spec.seed for spec in specs}) == 150
    # One round holds every combination once.
    combinations = {(spec.character, spec.motion, spec.expression) for spec in specs[: 2 * len(MOTIONS) * 5]}
    assert len(combinations) == 2 * len(MOTIONS) * 5


def test_spec_survives_json() -> None:
    spec = random_specs(1, seed=1, expressions=["happy:0.5"], size=64)[0]
    assert PuppetSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    with pytest.raises(UserError, match="colour"):
        PuppetSpec.from_json({**spec.to_json(), "colour": "red"})
