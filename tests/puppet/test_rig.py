import numpy as np
import pytest
from posed import PAIRS

from temporal_gan.puppet import PuppetClip, PuppetSpec, render_clip
from temporal_gan.skeletons import CANONICAL25

SIZE = 192
PARTS = {
    "elbow": ("upper_arm", "forearm"),
    "wrist": ("forearm", "hand"),
    "knee": ("thigh", "shin"),
    "ankle": ("shin", "shoe"),
    "big_toe": ("shoe",),
    "small_toe": ("shoe",),
    "heel": ("shoe", "shin"),
    "eye": ("eye", "iris", "lids"),
}


def _render(character: str, motion: str) -> PuppetClip:
    return render_clip(
        PuppetSpec(character, motion, "neutral", seed=6, frames=10, size=SIZE, fps=8.0), truth=True
    )


def _parts_at(clip: PuppetClip, t: int, joint: int, reach: int) -> set[str]:
    """Parts seen within ``reach`` pixels of a joint."""
    assert clip.part_map is not None
    x, y = np.floor(clip.keypoints[t, joint] * SIZE).astype(int)
    labels = np.unique(clip.part_map[t, y - reach : y + reach + 1, x - reach : x + reach + 1])
    return {clip.parts[label - 1] if label else "background" for label in labels}


@pytest.mark.parametrize(("character", "motion"), PAIRS)
def test_visible_joints_lie_on_their_own_parts(character: str, motion: str) -> None:
    clip = _render(character, motion)
    checked = 0
    for joint, name in enumerate(CANONICAL25.joints):
        side, _, short = name.partition("_")
        for t in range(10):
            if short in PARTS and clip.confidence[t, joint] == 1.0:
                # One pixel around it: a joint just beside the edge of what is in front may round under it.
                at = _parts_at(clip, t, joint, reach=1)
                assert at & {f"{side}_{piece}" for piece in PARTS[short]}, (name, t, at)
                checked += 1
    assert checked > 100


def test_hidden_joints_are_behind_another_part() -> None:
    clip = _render("hana", "walk")
    hidden = 0
    for joint, name in enumerate(CANONICAL25.joints):
        side, _, short = name.partition("_")
        for t in range(10):
            if short in PARTS and clip.confidence[t, joint] == 0.5:
                at = _parts_at(clip, t, joint, reach=1)
                assert at - {f"{side}_{piece}" for piece in PARTS[short]}, (name, t)
                hidden += 1
    assert hidden > 5


def test_the_cats_ear_joints_are_on_its_ears_and_the_girls_are_under_her_hair() -> None:
    cat, girl = _render("miko", "idle"), _render("hana", "idle")
    for joint, side in ((16, "right"), (17, "left")):
        assert _parts_at(cat, 0, joint, reach=0) == {f"{side}_ear"}
        assert (cat.confidence[:, joint] == 1.0).all()
        assert (girl.confidence[:, joint] == 0.5).all()


def test_near_limbs_are_layer_0_and_far_limbs_layer_2() -> None:
    clip = _render("hana", "wave")
    names = CANONICAL25.joints
    toes, heels = (clip.keypoints[:, names.index(f"right_{piece}"), 0] for piece in ("big_toe", "heel"))
    # Who walks to the viewer's right shows the right side.
    near, far = ("right", "left") if (toes > heels).all() else ("left", "right")
    assert (clip.layer[:, [names.index(f"{near}_wrist"), names.index(f"{near}_ankle")]] == 0).all()
    assert (clip.layer[:, [names.index("neck"), names.index("nose"), names.index("mid_hip")]] == 1).all()
    assert (clip.layer[:, [names.index(f"{far}_wrist"), names.index(f"{far}_ankle")]] == 2).all()


def test_limbs_stay_joined() -> None:
    # A gap at a joint would show as background, or as what is behind, on the line between two joints.
    clip = _render("hana", "jump")
    names = CANONICAL25.joints
    assert clip.part_map is not None
    for chain in (
        ("right_shoulder", "right_elbow", "right_wrist"),
        ("right_hip", "right_knee", "right_ankle"),
    ):
        allowed = {f"right_{p}" for p in ("upper_arm", "forearm", "hand", "thigh", "shin", "shoe")} | {
            "skirt"
        }
        for first, second in zip(chain, chain[1:], strict=False):
            a, b = clip.keypoints[:, names.index(first)], clip.keypoints[:, names.index(second)]
            for part in np.linspace(0.0, 1.0, 12):
                at = np.floor((a + part * (b - a)) * SIZE).astype(int)
                for t in range(10):
                    label = int(clip.part_map[t, at[t, 1], at[t, 0]])
                    where = clip.parts[label - 1] if label else "background"
                    assert where in allowed | {"torso", "right_hand", "right_forearm"}, (first, t, where)
