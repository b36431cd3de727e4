import numpy as np
import pytest

from temporal_gan.errors import UserError
from temporal_gan.expressions import CLASS_CONTROLS, CLASSES, EXPRESSIONS, expression_track
from temporal_gan.puppet import PuppetSpec, render_clip
from temporal_gan.puppet.affine import place
from temporal_gan.puppet.cast import CHARACTERS
from temporal_gan.puppet.expression import generated_track, puppet_expression
from temporal_gan.puppet.face import draw_face

COLUMN = {name: i for i, name in enumerate(EXPRESSIONS)}


@pytest.mark.parametrize("name", CLASSES)
def test_generated_tracks_are_mixtures_with_the_controls_of_their_class(name: str) -> None:
    for seed in range(12):
        track = generated_track((name,), 48, 24.0, seed)
        assert track.dtype == np.float32
        assert track.shape == (48, len(EXPRESSIONS))
        assert track.min() >= 0.0
        assert track.max() <= 1.0
        np.testing.assert_allclose(track[:, : len(CLASSES)].sum(axis=1), 1.0, atol=1e-6)
        for control, gain in CLASS_CONTROLS[name].items():
            # Blinks and lip flap may only add.
            assert (track[:, COLUMN[control]] >= gain * track[:, COLUMN[name]] - 1e-6).all()
        if name != "neutral":
            assert track[:, COLUMN[name]].max() >= 0.6
        # At 24 frames a second a class eases in over several frames; lids are faster.
        assert np.abs(np.diff(track[:, : len(CLASSES)], axis=0)).max() < 0.35


def test_classes_follow_each_other_inside_a_clip() -> None:
    for seed in range(8):
        track = puppet_expression("auto:happy>sad>surprised", 96, 24.0, seed)
        classes = track[:, : len(CLASSES)]
        np.testing.assert_allclose(classes.sum(axis=1), 1.0, atol=1e-6)
        for share, name in ((0, "happy"), (1, "sad"), (2, "surprised")):
            middle = classes[32 * share + 16]
            assert CLASSES[middle[1:].argmax() + 1] == name
            assert middle.max() >= 0.6
        # A change takes at least 0.3 s, at most two of them and an onset overlap.
        assert np.abs(np.diff(classes, axis=0)).max() < 0.35
        # It never passes through neutral: one face turns into the next.
        assert classes[40:56, COLUMN["neutral"]].max() < 0.4


def test_controls_move_on_top_of_a_generated_track() -> None:
    plain = puppet_expression("auto:sad", 30, 24.0, 5)
    more = puppet_expression("auto:sad+jawOpen:0.7+eyeBlinkLeft", 30, 24.0, 5)
    np.testing.assert_array_equal(more[:, COLUMN["jawOpen"]], np.maximum(plain[:, COLUMN["jawOpen"]], 0.7))
    np.testing.assert_array_equal(more[:, COLUMN["eyeBlinkLeft"]], np.ones(30))
    others = [i for n, i in COLUMN.items() if n not in ("jawOpen", "eyeBlinkLeft")]
    np.testing.assert_array_equal(more[:, others], plain[:, others])


def test_brows_and_smiles_come_and_go_by_themselves() -> None:
    tracks = np.stack([generated_track(("neutral",), 72, 24.0, seed) for seed in range(40)])
    for control in ("browInnerUp", "browDown", "mouthSmile"):
        peaks = tracks[..., COLUMN[control]].max(axis=1)
        assert 0.02 < (peaks > 0.1).mean() < 0.5, control
        assert peaks.max() <= 0.5


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("auto:bored", "'bored' is not one of"),
        ("auto:happy>", "'' is not one of"),
        ("auto:happy+tail:1", "control 'tail' is not one of"),
        ("auto:happy+jawOpen:wide", "jawOpen is 'wide', expected a number from 0 to 1"),
        ("auto:happy+jawOpen:2", "jawOpen is '2', expected a number from 0 to 1"),
    ],
)
def test_wrong_generated_tracks_are_refused(spec: str, words: str) -> None:
    with pytest.raises(UserError, match=words.replace("+", ".")):
        puppet_expression(spec, 4, 24.0, 0)


def test_blinks_close_both_eyes_for_a_moment() -> None:
    tracks = np.stack([generated_track(("neutral",), 72, 24.0, seed) for seed in range(10)])
    left, right = tracks[..., COLUMN["eyeBlinkLeft"]], tracks[..., COLUMN["eyeBlinkRight"]]
    np.testing.assert_array_equal(left, right)
    assert (left.max(axis=1) > 0.5).mean() > 0.7
    assert 0.01 < (left > 0.5).mean() < 0.15


def test_plain_specifications_are_followed_to_the_letter() -> None:
    expected = expression_track("happy>sad:0.5", 9, 24.0)
    np.testing.assert_array_equal(puppet_expression("happy>sad:0.5", 9, 24.0, seed=3), expected)


def test_the_face_takes_any_track() -> None:
    random = np.random.default_rng(0)
    track = random.uniform(0.0, 1.0, (6, len(EXPRESSIONS))).astype(np.float32)
    for character in CHARACTERS.values():
        for part in draw_face(character, track, place(6), np.full(6, 0.3), np.zeros(6)).parts:
            for paint in part.drawing.fill:
                assert np.isfinite(paint.polygon).all(), part.name


def test_controls_move_the_features_they_name() -> None:
    def part(name: str, **controls: float) -> np.ndarray:
        track = np.zeros((1, len(EXPRESSIONS)), np.float32)
        for control, value in controls.items():
            track[0, COLUMN[control]] = value
        parts = draw_face(CHARACTERS["hana"], track, place(1), np.zeros(1), np.zeros(1)).parts
        found = next(p for p in parts if p.name == name)
        return np.asarray(found.drawing.fill[0].polygon[0])

    assert np.ptp(part("mouth", jawOpen=1.0)[:, 1]) > np.ptp(part("mouth")[:, 1]) + 2.0
    mouth = part("mouth", mouthSmile=1.0)
    corners, middle = mouth[[0, 16], 1].mean(), mouth[8, 1]
    assert corners < middle - 0.8, "corners up, y runs down"
    sad = part("mouth", sad=1.0)
    assert sad[[0, 16], 1].mean() > sad[8, 1] + 0.8
    # The upper lid's edge comes down, on the named side only.
    assert part("left_lids", eyeBlinkLeft=1.0)[7, 1] > part("left_lids")[7, 1] + 3.0
    np.testing.assert_array_equal(part("right_lids", eyeBlinkLeft=1.0), part("right_lids"))


def test_who_falls_asleep_closes_the_eyes_unless_told_otherwise() -> None:
    asleep = render_clip(PuppetSpec("hana", "fall-asleep", "auto:happy", 1, frames=60, size=32, fps=12.0))
    blink = EXPRESSIONS.index("eyeBlinkLeft")
    assert asleep.expression[-12:, blink].min() == 1
    assert asleep.expression[0, blink] < 0.5
    told = render_clip(PuppetSpec("hana", "fall-asleep", "happy:0.8", 1, frames=60, size=32, fps=12.0))
    assert told.expression[-1, blink] < 0.5  # a smile narrows the eyes
    awake = render_clip(PuppetSpec("hana", "idle", "auto:happy", 1, frames=60, size=32, fps=12.0))
    assert np.median(awake.expression[:, blink]) < 0.5
