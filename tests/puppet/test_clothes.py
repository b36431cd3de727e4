"""Clothes over a body that moves."""

import numpy as np
import pytest
from posed import rig_of, standing

from temporal_gan.puppet import PuppetSpec, render_clip
from temporal_gan.puppet.affine import apply
from temporal_gan.puppet.bottoms import HEMS
from temporal_gan.puppet.cast import find_character
from temporal_gan.puppet.coupling import mood_pose
from temporal_gan.puppet.drawing import rgb
from temporal_gan.puppet.rig import PICTURE
from temporal_gan.skeletons import CANONICAL25

LONG = ("amara", "sumire", "yuki", "kon")


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("motion", ["run", "sit-down"])
def test_long_garments_cover_the_thighs(name: str, motion: str) -> None:
    palette = find_character(name).palette
    clip = render_clip(PuppetSpec(name, motion, "neutral", 3, 24, lighting="flat"), truth=True)
    assert clip.part_map is not None
    thighs = [clip.parts.index(f"{side}_thigh") + 1 for side in ("right", "left")]
    seen = clip.video[np.isin(clip.part_map, thighs)][:, :3].astype(float)
    assert len(seen) > 100
    skin, cloth = (np.abs(seen - rgb(colour)).sum(axis=1) for colour in (palette.skin, palette.bottom))
    assert (skin < cloth).mean() < 0.02


@pytest.mark.parametrize("name", LONG)
def test_the_skirt_of_one_who_sits_ends_at_the_knees(name: str) -> None:
    character = find_character(name)
    body = character.body
    pose = mood_pose("sit-down", np.linspace(0.0, 2.0, 12), np.zeros((12, 14)), 0.0, 3)
    rig = rig_of(name, pose)
    skirt = next(part for part in rig.parts if part.name == "skirt")
    hem = apply(skirt.to_picture, np.array([[0.0, HEMS[character.outfit.bottom] * body.thigh]]))[-1, 0]
    knees = [rig.keypoints[-1, CANONICAL25.joints.index(f"{side}_knee")] for side in ("right", "left")]
    assert np.linalg.norm(hem - np.mean(knees, axis=0) * PICTURE) < 0.3 * body.thigh
    hip = CANONICAL25.joints.index("mid_hip")
    assert rig.keypoints[-1, hip, 1] > rig.keypoints[0, hip, 1] + 0.1, "it sits"


def test_a_skirt_swings_after_the_hips() -> None:
    """The hips move aside and stop: the hem is behind at first, then overshoots."""
    frames = 24
    moved = 8.0 * np.clip(np.arange(frames) / 6, 0.0, 1.0)
    hem = np.array([[0.0, 5.0]])
    rig = rig_of("hana", standing(frames, root_x=moved))
    skirt = next(part for part in rig.parts if part.name == "skirt")
    hips = rig.keypoints[:, CANONICAL25.joints.index("mid_hip"), 0] * PICTURE
    behind = apply(skirt.to_picture, hem)[:, 0, 0] - hips
    assert -3.0 < behind[:7].min() - behind[0] < -0.3
    assert 0.05 < behind[7:].max() - behind[0] < 3.0


def test_a_tail_curls_up_as_it_is_told() -> None:
    tips = []
    for curl in (-0.2, 0.0, 0.2):
        rig = rig_of("miko", standing(1, tail_curl=curl))
        tail = [part for part in rig.parts if part.name.startswith("tail_")]
        tips.append(max(tail, key=lambda part: int(part.name.split("_")[1])).to_picture[0, 1, 2])
    assert tips[0] > tips[1] + 0.5 > tips[2] + 1.0
