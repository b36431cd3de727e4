"""Labels follow the picture: what is true before a change of view, colours or flaws is true after it."""

import numpy as np
import pytest

from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.rng import numpy_generator
from temporal_gan.skeletons import CANONICAL25
from temporal_gan.training.reader.appearance import alter_colours, change_view, spoil

SIDE = 96


def dotted(points: np.ndarray) -> np.ndarray:
    """A white page with one soft dark dot per picture."""
    grid = (np.indices((SIDE, SIDE)).transpose(1, 2, 0)[..., ::-1] + 0.5) / SIDE
    away = np.linalg.norm(grid - points, axis=-1) * SIDE
    return np.repeat((255 * (1 - np.exp(-((away / 3) ** 2))))[..., None], 3, axis=-1).astype(np.uint8)


def centre_of(frame: np.ndarray) -> np.ndarray:
    weight = (255 - frame[..., 0].astype(float)) ** 2
    grid = (np.indices((SIDE, SIDE)).transpose(1, 2, 0)[..., ::-1] + 0.5) / SIDE
    return (weight[..., None] * grid).sum((0, 1)) / weight.sum()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_joint_stays_on_what_it_marks(mirrored: bool, seed: int) -> None:
    points = np.full((25, 2), 0.5, np.float32) + numpy_generator(seed, "points").uniform(-0.12, 0.12, (25, 2))
    joint = seed
    frame, moved, seen, _ = change_view(
        dotted(points[joint]), points.astype(np.float32), np.ones(25, np.float32), np.zeros(14, np.float32),
        mirrored, numpy_generator(seed, "view"),
    )  # fmt: skip
    target = CANONICAL25.flip_permutation()[joint] if mirrored else joint
    margin = 0.1
    if seen[target] and (moved[target] > margin).all() and (moved[target] < 1 - margin).all():
        # Half a pixel of a picture of 96: the dot is resampled.
        assert np.abs(centre_of(frame) - moved[target]).max() < 0.006


def test_views_differ_and_most_keep_the_figure() -> None:
    random = numpy_generator(0, "views")
    points = np.stack([np.linspace(0.4, 0.6, 25), np.linspace(0.1, 0.9, 25)], axis=1).astype(np.float32)
    kept = [
        change_view(dotted(points[0]), points, np.ones(25, np.float32), np.zeros(14), False, random)[2].mean()
        for _ in range(60)
    ]
    assert 0.6 < np.mean(kept) < 1.0
    assert len(set(np.round(kept, 3))) > 3


def test_a_mirror_swaps_left_and_right_in_the_face_too() -> None:
    face = np.arange(14, dtype=np.float32)
    points = np.full((25, 2), 0.5, np.float32)
    views = [
        change_view(dotted(points[0]), points, np.ones(25, np.float32), face, m, numpy_generator(1, "v"))
        for m in (False, True)
    ]
    left, right = EXPRESSIONS.index("eyeBlinkLeft"), EXPRESSIONS.index("eyeBlinkRight")
    assert views[0][3].tolist() == face.tolist()
    assert views[1][3][[left, right]].tolist() == face[[right, left]].tolist()
    others = [i for i in range(14) if i not in (left, right)]
    assert views[1][3][others].tolist() == face[others].tolist()


def test_a_joint_that_leaves_the_picture_is_gone() -> None:
    points = np.full((25, 2), 0.5, np.float32)
    points[3] = (5.0, 0.5)
    _, moved, seen, _ = change_view(
        dotted(points[0]), points, np.ones(25, np.float32), np.zeros(14), False, numpy_generator(0, "v")
    )
    outside = ((moved < 0) | (moved > 1)).any(axis=1)
    assert outside[3]
    assert (seen == ~outside).all()


def test_colours_of_a_character_change_alike_and_grey_stays_grey() -> None:
    for seed in range(20):
        colours = alter_colours(numpy_generator(seed, "colours"))
        grey = np.full((4, 4, 3), 90, np.uint8)
        changed = colours(grey)
        assert np.ptp(changed.reshape(-1, 3).astype(int)) <= 2
        assert (colours(grey) == changed).all()
    loud = np.tile(np.array([[[220, 30, 60]]], np.uint8), (4, 4, 1))
    hues = {tuple(alter_colours(numpy_generator(s, "colours"))(loud)[0, 0]) for s in range(20)}
    assert len(hues) == 20


def test_flaws_leave_the_given_picture_alone_and_hide_only_what_they_cover() -> None:
    points = numpy_generator(0, "p").uniform(0.1, 0.9, (25, 2)).astype(np.float32)
    frame, seen = np.full((SIDE, SIDE, 3), 200, np.uint8), np.ones(25, np.float32)
    hidden = 0
    for seed in range(40):
        spoiled, after = spoil(frame, points, seen, numpy_generator(seed, "flaws"))
        assert spoiled.shape == frame.shape
        assert spoiled.dtype == np.uint8
        assert set(np.unique(after)) <= {0.5, 1.0}
        hidden += int((after < 1).sum())
    assert (frame == 200).all()
    assert (seen == 1).all()
    assert hidden > 0
