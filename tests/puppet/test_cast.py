import numpy as np
import pytest
from posed import picture, rig_of, standing

from temporal_gan.errors import UserError
from temporal_gan.expressions import CLASSES, expression_vector
from temporal_gan.puppet.animal import EARS
from temporal_gan.puppet.bottoms import BOTTOMS
from temporal_gan.puppet.cast import CHARACTERS, find_character
from temporal_gan.puppet.hairstyles import CAPS, EXTRAS, FRINGES, SIDES
from temporal_gan.puppet.sampling import sample_character
from temporal_gan.puppet.tops import TOPS

SAMPLES = [f"sample:{seed}" for seed in range(30)]


def _portraits(names: list[str], size: int = 64) -> np.ndarray:
    pose = standing(1, yaw=0.3, head_yaw=0.25)
    return np.concatenate([picture(rig_of(name, pose), size) for name in names])


def test_the_cast_has_people_of_every_kind_and_animals() -> None:
    cast = list(CHARACTERS.values())
    assert len(cast) >= 16
    assert {"hana", "miko"} <= set(CHARACTERS)
    humans = [who for who in cast if who.ears == "human"]
    assert len(humans) >= 9
    assert len({who.hair for who in humans}) == len(humans), "no two wear the same hair"
    assert {who.ears for who in cast} == {"human", *EARS}
    assert all((who.tail is not None) == (who.ears != "human") for who in cast)
    assert len({who.outfit.top for who in cast}) >= 7
    assert {who.outfit.bottom for who in cast} == set(BOTTOMS)
    assert len({who.palette.skin for who in humans}) >= 8


def test_two_characters_are_chibis() -> None:
    figures = {name: rig_of(name, standing(1)) for name in CHARACTERS}
    heads = []
    for rig in figures.values():
        skull = next(part for part in rig.parts if part.name == "cap")
        # From crown to chin, in head coordinates; the soles of the shoes are lowest.
        tall = 27.0 * skull.to_picture[0, 1, 1]
        crown = skull.to_picture[0, 1, 2] - 14.5 * skull.to_picture[0, 1, 1]
        heads.append((87.0 - crown) / tall)
    assert sum(2.0 <= h <= 2.5 for h in heads) >= 2
    assert max(heads) > 3.2, "and there are grown-ups"


def test_no_two_look_alike() -> None:
    pictures = _portraits([*CHARACTERS, *SAMPLES])
    for i, one in enumerate(pictures):
        difference = np.abs(pictures[i + 1 :] - one).mean(axis=(1, 2, 3))
        # One figure shifted by a pixel differs by 0.035 from itself, most pairs by 0.1.
        assert (difference > 0.025).all(), i
    apart = np.abs(pictures[:25] - pictures[25:]).mean(axis=(1, 2, 3))
    assert np.median(apart) > 0.06


def test_a_seed_names_one_character() -> None:
    assert find_character("sample:7") is sample_character(7)
    sample_character.cache_clear()
    assert find_character("sample:7") == sample_character(7)
    assert len({sample_character(seed) for seed in range(200)}) == 200


def test_samples_use_everything_there_is_and_only_that() -> None:
    samples = [sample_character(seed) for seed in range(400)]
    for who in samples:
        assert who.hair.cap in CAPS
        assert who.hair.fringe in FRINGES
        assert who.hair.sides in SIDES
        assert set(who.hair.extras) <= set(EXTRAS)
        assert 0.7 < who.line < 1.4
        assert 0.4 < who.shading < 1.5
    assert {who.outfit.top for who in samples} == set(TOPS)
    assert {who.outfit.bottom for who in samples} == set(BOTTOMS)
    assert {who.ears for who in samples} == {"human", *EARS}
    assert {name for who in samples for name in who.hair.extras} == set(EXTRAS)


def test_samples_fill_the_frame_and_stay_inside_it() -> None:
    for name in SAMPLES:
        ink = (_portraits([name])[0] < 1.0).any(axis=-1)
        rows = np.flatnonzero(ink.any(axis=1))
        assert rows[0] > 0, name
        assert rows[-1] - rows[0] > 0.66 * 64, name
        assert not ink[:, [0, -1]].any(), name


@pytest.mark.parametrize("name", ["sample:", "sample:x", "sample:-1"])
def test_a_sample_wants_a_number(name: str) -> None:
    with pytest.raises(UserError, match="whole number"):
        find_character(name)


@pytest.mark.parametrize("name", CHARACTERS)
def test_every_expression_reads_differently_on_every_face(name: str) -> None:
    track = np.stack([expression_vector({label: 1.0}) for label in CLASSES])
    rig = rig_of(name, standing(len(CLASSES), yaw=0.2, head_yaw=0.15), track)
    size = 256
    x, y = rig.face_points[0].min(axis=0) * size, rig.face_points[0].max(axis=0) * size
    left, top, right, bottom = int(x[0]), int(x[1]), int(y[0]) + 1, int(y[1]) + 1
    faces = picture(rig, size)[:, top:bottom, left:right]
    for i, one in enumerate(faces):
        for j in range(i):
            # Share of the face's pixels that differ clearly.
            apart = (np.abs(faces[j] - one).max(axis=-1) > 0.15).mean()
            assert apart > 0.06, (CLASSES[i], CLASSES[j], apart)


def test_expressions_grow_continuously() -> None:
    amounts = np.linspace(0.0, 1.0, 41)
    for label in CLASSES[1:]:
        track = np.stack([expression_vector({label: float(a)}) for a in amounts])
        faces = picture(rig_of("hana", standing(len(amounts)), track), 96)
        steps = np.abs(np.diff(faces, axis=0)).mean(axis=(1, 2, 3))
        total = np.abs(faces[-1] - faces[0]).mean()
        assert steps.max() < 0.25 * total, label
