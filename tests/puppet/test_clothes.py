"""Clothes over a body that moves."""

import numpy as np
import pytest
from posed import rig_of

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
