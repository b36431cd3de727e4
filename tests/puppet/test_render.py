import numpy as np
import pytest
import torch
from posed import PAIRS

from temporal_gan.puppet import MOTIONS, PuppetClip, PuppetSpec, render_clip
from temporal_gan.skeletons import CANONICAL25
from temporal_gan.warping import warp_backward


def _errors(clip: PuppetClip, flow: np.ndarray) -> np.ndarray:
    """[T-1, S, S]: |frame t - frame t+1 sampled at x + flow|, mean over channels, on [0, 1]."""
    video = torch.from_numpy(clip.video).permute(0, 3, 1, 2).float() / 255
    warped = warp_backward(video[1:], torch.from_numpy(flow))
    return np.asarray((warped - video[:-1]).abs().mean(dim=1))


def _render(character: str, motion: str, size: int = 128, expression: str = "auto:happy") -> PuppetClip:
    return render_clip(PuppetSpec(character, motion, expression, seed=3, frames=24, size=size), truth=True)


def _truth(clip: PuppetClip) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    assert clip.flow is not None
    assert clip.flow_valid is not None
    assert clip.part_map is not None
    return clip.flow, clip.flow_valid[:, 0], clip.part_map[:-1] > 0


@pytest.mark.parametrize(("character", "motion"), PAIRS)
def test_flow_reproduces_each_frame_from_the_next(character: str, motion: str) -> None:
    clip = _render(character, motion)
    flow, valid, body = _truth(clip)
    error = _errors(clip, flow)
    assert error[valid].mean() < 0.006
    # On the character alone what is left is the blur of sampling lines one pixel wide between pixels.
    on_body = error[valid & body].mean()
    assert 0.002 < on_body < 0.025
    # Two-sided: an error of half a pixel is seen, so the bound above says something about the flow.
    shifted = flow + np.float32(0.5)
    assert _errors(clip, shifted)[valid & body].mean() > 1.5 * on_body


@pytest.mark.parametrize("motion", MOTIONS)
def test_most_of_the_character_keeps_its_flow(motion: str) -> None:
    _, valid, body = _truth(_render("hana", motion))
    # Something is always hidden, or lies on an edge between two motions: of some sixty parts that swing and slide
    # each in its own way, at 128 pixels, that is a good deal.
    assert 0.5 < valid[body].mean() < 0.999


def test_flow_points_from_this_frame_to_the_next() -> None:
    clip = _render("hana", "walk")
    flow, valid, body = _truth(clip)
    moving = valid & body & (np.hypot(flow[:, 0], flow[:, 1]) > 0.7)
    right = _errors(clip, flow)[moving].mean()
    assert _errors(clip, -flow)[moving].mean() > 2.5 * right
    assert _errors(clip, flow[:, ::-1].copy())[moving].mean() > 2 * right
    # And it is the motion of the joints: the visible part under a wrist moves with the wrist.
    names = clip.parts
    assert clip.part_map is not None
    for joint, part in ((4, "right_forearm"), (10, "right_shin")):
        for t in range(0, 23, 4):
            x, y = clip.keypoints[t, joint] * 128 - 0.5
            near = clip.part_map[t] == names.index(part) + 1
            near &= np.hypot(*(np.indices(near.shape)[::-1] - np.array([x, y])[:, None, None])) < 2.5
            if near.sum() < 3:
                continue
            moved = (clip.keypoints[t + 1, joint] - clip.keypoints[t, joint]) * 128
            # 2.5 px from the joint, a limb turning 0.2 rad a frame moves half a pixel differently.
            np.testing.assert_allclose(flow[t][:, near].mean(axis=1), moved, atol=0.6)


def test_finer_pictures_warp_better() -> None:
    # Only the blur of resampling is left, and it is confined to lines, which take a smaller share of a larger
    # picture; a wrong flow would be wrong by more pixels.
    errors = []
    for size in (96, 288):
        clip = _render("miko", "wave", size, "neutral")
        flow, valid, body = _truth(clip)
        errors.append(_errors(clip, flow)[valid & body].mean())
    assert errors[1] < 0.72 * errors[0]


def test_background_stands_still_and_is_invalid_where_it_gets_covered() -> None:
    clip = _render("hana", "jump")
    flow, valid, _ = _truth(clip)
    assert clip.part_map is not None
    now, then = clip.part_map[:-1] == 0, clip.part_map[1:] == 0
    assert (np.moveaxis(flow, 1, -1)[now] == 0).all()
    assert not valid[now & ~then].any()
    far = now & then & (clip.video[:-1, ..., 3] == 0) & (clip.video[1:, ..., 3] == 0)
    # All but the pixels that touch a moving outline.
    assert valid[far].mean() > 0.97


def test_surface_that_the_waving_hand_covers_is_invalid() -> None:
    clip = _render("hana", "wave", expression="neutral")
    flow, valid, body = _truth(clip)
    assert clip.part_map is not None
    hand, forearm = (clip.parts.index(f"right_{piece}") + 1 for piece in ("hand", "forearm"))
    y, x = np.mgrid[0:128, 0:128]
    covered = 0
    for t in range(23):
        tx = np.clip(np.rint(x + flow[t, 0]).astype(int), 0, 127)
        ty = np.clip(np.rint(y + flow[t, 1]).astype(int), 0, 127)
        gone = body[t] & ~np.isin(clip.part_map[t], (hand, forearm)) & (clip.part_map[t + 1][ty, tx] == hand)
        # At the turning points hand and hair may move alike, within the stated 0.1 px.
        speed = np.abs(np.diff(clip.keypoints[t : t + 2, 4], axis=0)).max() * 128
        if speed > 0.5:
            assert not valid[t][gone].any()
            covered += int(gone.sum())
    assert covered > 30


def test_a_blink_invalidates_the_lids_and_nothing_else() -> None:
    steady = _render("hana", "idle", expression="neutral")
    blinking = _render("hana", "idle", expression="eyeBlinkLeft:0>eyeBlinkLeft:1")
    lost = _truth(steady)[1] & ~_truth(blinking)[1]
    assert lost.any()
    rows, columns = np.nonzero(lost.any(axis=0))
    eye = steady.keypoints[:, 15].mean(axis=0) * 128
    assert np.abs(columns - eye[0]).max() < 10
    assert np.abs(rows - eye[1]).max() < 10


def test_a_part_that_changes_its_shape_has_no_valid_pixel() -> None:
    clip = _render("hana", "walk", expression="eyeBlinkLeft:0>eyeBlinkLeft:1")
    lids = clip.part_map == clip.parts.index("left_lids") + 1
    # The change begins and ends slowly.
    frames = slice(6, 17)
    assert lids[:-1][frames].sum() > 100
    assert not clip.flow_valid[:, 0][frames][lids[:-1][frames]].any()
    assert not clip.flow_backward_valid[:, 0][frames][lids[1:][frames]].any()


def test_no_edge_between_two_motions_is_valid() -> None:
    clip = _render("miko", "walk")
    flow, valid, _ = _truth(clip)
    label = clip.part_map[:-1]
    checked = 0
    for axis in (1, 2):
        a, b = (np.take(label, range(start, 127 + start), axis) for start in (0, 1))
        go_a, go_b = (np.take(flow, range(start, 127 + start), axis + 1) for start in (0, 1))
        apart = (a != b) & (np.hypot(*np.moveaxis(go_a - go_b, 1, 0)) > 0.11)
        for start in (0, 1):
            assert not np.take(valid, range(start, 127 + start), axis)[apart].any()
        checked += int(apart.sum())
    assert checked > 1000


@pytest.mark.parametrize(
    ("bone", "ends"),
    [("forearm", ("elbow", "wrist")), ("shin", ("knee", "ankle")), ("thigh", ("hip", "knee"))],
)
def test_a_limb_is_drawn_around_the_middle_of_its_joints(bone: str, ends: tuple[str, str]) -> None:
    y, x = np.mgrid[0:128, 0:128] + 0.5
    distances = []
    for motion in ("walk", "wave"):
        clip = _render("miko", motion, expression="neutral")
        assert clip.part_map is not None
        for side in ("right", "left"):
            seen = clip.part_map == clip.parts.index(f"{side}_{bone}") + 1
            area = seen.sum(axis=(1, 2))
            joints = clip.keypoints[:, [CANONICAL25.joints.index(f"{side}_{end}") for end in ends]] * 128
            # Where most of it is covered, the rest has another middle.
            for t in np.flatnonzero(area > 0.9 * area.max()):
                middle = x[seen[t]].mean(), y[seen[t]].mean()
                distances.append(np.linalg.norm(joints[t].mean(axis=0) - middle))
    assert len(distances) > 10
    assert np.mean(distances) < 4.0
    assert np.max(distances) < 9.0
