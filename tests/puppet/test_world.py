import numpy as np
import pytest
import torch

from temporal_gan.errors import UserError
from temporal_gan.puppet import (
    BACKGROUNDS,
    CAMERAS,
    DEGRADATIONS,
    LIGHTS,
    MOTIONS,
    PuppetClip,
    PuppetSpec,
    random_specs,
    render_clip,
)
from temporal_gan.puppet.background import PREFIX
from temporal_gan.puppet.camera import camera_track
from temporal_gan.warping import warp_backward

WORLDS = [
    *({"motion": motion, "background": "park", "camera": "pan+shake"} for motion in MOTIONS),
    *({"lighting": lighting} for lighting in LIGHTS),
    *({"camera": camera, "background": "room"} for camera in CAMERAS),
    *({"background": background, "camera": "pan+zoom"} for background in BACKGROUNDS),
    {"hold": 2, "camera": "pan"},
]


def _spec(
    character: str = "miko", frames: int = 8, size: int = 96, seed: int = 3, **world: object
) -> PuppetSpec:
    motion = str(world.pop("motion", "walk"))
    return PuppetSpec(character, motion, "auto:happy", seed, frames, size, **world)  # type: ignore[arg-type]


def _warp_errors(clip: PuppetClip) -> tuple[float, float, float]:
    """Mean |warped - real| of valid pixels forwards and backwards; greatest forward + backward where both are valid."""
    video = torch.from_numpy(clip.video).permute(0, 3, 1, 2).float() / 255
    ahead, behind = torch.from_numpy(clip.flow), torch.from_numpy(clip.flow_backward)
    valid, valid_behind = torch.from_numpy(clip.flow_valid[:, 0]), torch.from_numpy(clip.flow_backward_valid)
    forward = (warp_backward(video[1:], ahead) - video[:-1]).abs().mean(1)[valid].mean()
    backward = (warp_backward(video[:-1], behind) - video[1:]).abs().mean(1)[valid_behind[:, 0]].mean()
    both = valid & (warp_backward(valid_behind.float(), ahead)[:, 0] > 0.999)
    assert both.float().mean() > 0.5
    there_and_back = (ahead + warp_backward(behind, ahead)).square().sum(1).sqrt()[both].max()
    return float(forward), float(backward), float(there_and_back)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: "-".join(map(str, world.values())))
def test_flow_is_exact_in_every_world(world: dict[str, object]) -> None:
    clip = render_clip(_spec(**world), truth=True)
    forward, backward, there_and_back = _warp_errors(clip)
    assert 0.0005 < forward < 0.012
    assert 0.0005 < backward < 0.012
    assert there_and_back < 0.1


def test_a_moving_background_has_moving_flow_and_a_wrong_one_would_show() -> None:
    clip = render_clip(_spec(background="checks", camera="pan", size=128), truth=True)
    ground = clip.part_map[:-1] > clip.parts.index(f"{PREFIX}0")
    moved = np.hypot(clip.flow[:, 0], clip.flow[:, 1])[ground]
    assert moved.mean() > 0.3
    right = _warp_errors(clip)[0]
    still = PuppetClip(**{**vars(clip), "flow": np.zeros_like(clip.flow)})
    video = torch.from_numpy(still.video).permute(0, 3, 1, 2).float() / 255
    wrong = (video[1:] - video[:-1]).abs().mean(1)[torch.from_numpy(clip.flow_valid[:, 0])].mean()
    assert float(wrong) > 2 * right


@pytest.mark.parametrize("background", [name for name, layers in BACKGROUNDS.items() if layers])
def test_backgrounds_cover_the_frame_under_every_camera(background: str) -> None:
    for seed in range(3):
        for camera in ("zoom", "pan+shake"):
            clip = render_clip(
                _spec(background=background, camera=camera, seed=seed, frames=6, size=48), truth=True
            )
            assert (clip.video[..., 3] == 255).all()
            assert (clip.part_map > 0).all()


def test_a_background_changes_nothing_of_the_figure() -> None:
    bare = render_clip(_spec(), truth=True)
    clip = render_clip(_spec(background="hills"), truth=True)
    assert clip.parts[: len(bare.parts)] == bare.parts
    np.testing.assert_array_equal(clip.keypoints, bare.keypoints)
    figure = bare.part_map > 0
    np.testing.assert_array_equal(clip.part_map[figure], bare.part_map[figure])
    opaque = bare.video[..., 3] == 255
    np.testing.assert_array_equal(clip.video[opaque], bare.video[opaque])


@pytest.mark.parametrize("field", ["background", "camera"])
def test_seeds_vary_the_world(field: str) -> None:
    for name in {"background": ("dots", "hills", "room"), "camera": ("pan", "zoom", "shake")}[field]:
        seen = {render_clip(_spec(seed=s, frames=3, size=32, background="park") if field == "camera" else
                            _spec(seed=s, frames=3, size=32)).video.tobytes() for s in (1, 2)}  # fmt: skip
        worlds = [_spec(seed=s, frames=3, size=32, **{"background": "park", field: name}) for s in (1, 2)]
        corner = [render_clip(spec).video[:, :6, :6].tobytes() for spec in worlds]
        assert len(seen) == 2
        assert field == "camera" or corner[0] != corner[1], name
    tracks = [camera_track("pan+shake", 24, 24.0, seed).maps() for seed in range(4)]
    assert len({track.tobytes() for track in tracks}) == 4


def test_light_moves_the_shade_and_tints_everything() -> None:
    videos = {name: render_clip(_spec("hana", lighting=name, frames=2, size=128)).video for name in LIGHTS}
    for video in videos.values():
        # What is drawn where stays, but for sub-pixels under the edges of the shade.
        assert np.abs(video[..., 3].astype(int) - videos["flat"][..., 3]).mean() < 0.05
    assert len({video.tobytes() for video in videos.values()}) == len(LIGHTS)
    mean = {name: video[video[..., 3] == 255][:, :3].mean(axis=0) for name, video in videos.items()}
    assert mean["night"].sum() < 0.8 * mean["day"].sum()
    assert mean["night"][2] / mean["night"][0] > 1.3 * mean["day"][2] / mean["day"][0]
    assert mean["dusk"][2] / mean["dusk"][0] < 0.85 * mean["day"][2] / mean["day"][0]
    # The side away from the light is the darker one: of a limb's left and right halves against flat light.
    clip = render_clip(_spec("hana", motion="idle", frames=2, size=256), truth=True)
    shin = clip.part_map == clip.parts.index("right_thigh") + 1
    columns = np.broadcast_to(np.arange(256), shin.shape)
    right_half = columns > np.median(columns[shin])
    flat = render_clip(_spec("hana", motion="idle", frames=2, size=256, lighting="flat")).video.astype(int)
    for name, darker, lighter in (("day", right_half, ~right_half), ("right", ~right_half, right_half)):
        lit = render_clip(_spec("hana", motion="idle", frames=2, size=256, lighting=name)).video.astype(int)
        loss = (flat - lit)[..., 1]
        assert loss[shin & darker].mean() > loss[shin & lighter].mean() + 2, name


def test_the_camera_moves_joints_with_the_picture() -> None:
    still, moved = (
        render_clip(_spec(camera=camera, seed=5, frames=12), truth=True) for camera in ("still", "pan")
    )
    shift = (moved.keypoints - still.keypoints).mean(axis=1)
    assert np.abs(np.diff(shift[:, 0])).max() > 0.001
    middles = []
    for clip in (still, moved):
        _, rows, columns = np.nonzero(clip.part_map)
        counts = np.count_nonzero(clip.part_map, axis=(1, 2))
        starts = np.cumsum(counts) - counts
        middles.append(np.stack([np.add.reduceat(v, starts) / counts / 96 for v in (columns, rows)], axis=-1))
    np.testing.assert_allclose(middles[1] - middles[0], shift, atol=0.003)


def test_joints_out_of_the_frame_are_missing() -> None:
    clips = [render_clip(_spec(camera="zoom", seed=seed, frames=8, size=32)) for seed in range(8)]
    points = np.concatenate([clip.keypoints for clip in clips])
    confidence = np.concatenate([clip.confidence for clip in clips])
    outside = ((points < 0) | (points > 1)).any(axis=-1)
    assert outside.any()
    assert (confidence[outside] == 0).all()
    assert (confidence[~outside] > 0).all()
    assert np.abs(points - 0.5).max() <= 1.0


@pytest.mark.parametrize("hold", [2, 3])
def test_held_drawings_repeat_and_say_so(hold: int) -> None:
    clip = render_clip(_spec(hold=hold, frames=8), truth=True)
    np.testing.assert_array_equal(clip.hold, np.arange(8) // hold)
    same = (clip.video[1:] == clip.video[:-1]).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(same, np.diff(clip.hold) == 0)
    np.testing.assert_array_equal((np.diff(clip.keypoints, axis=0) == 0).all(axis=(1, 2)), same)
    assert (clip.flow[same] == 0).all()
    assert clip.flow_valid[same].all(), "nothing is hidden between two equal frames, not even a blinking lid"
    ones = render_clip(_spec(frames=8))
    np.testing.assert_array_equal(clip.video[::hold], ones.video[::hold])
    moving = render_clip(_spec(hold=hold, frames=8, camera="pan", background="dots"))
    assert not (moving.video[1:] == moving.video[:-1]).all(axis=(1, 2, 3)).any()
    np.testing.assert_array_equal(moving.hold, clip.hold)


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("background", ["transparent", "hills"])
def test_degradations_harm_the_pictures_alone(name: str, background: str) -> None:
    world = {"background": background, "frames": 3, "size": 128}
    clean = render_clip(_spec(**world), truth=True)
    worse, again = (render_clip(_spec(**world, degradation=name), truth=True) for _ in range(2))
    other = render_clip(_spec(**world, degradation=name, seed=4))
    assert worse.video.tobytes() == again.video.tobytes() != clean.video.tobytes()
    assert other.video.tobytes() != worse.video.tobytes()
    for field, value in vars(clean).items():
        if field not in ("video", "parts"):
            np.testing.assert_array_equal(getattr(worse, field), value, field)
    assert (worse.video[..., :3] <= worse.video[..., 3:]).all()
    harm = np.abs(worse.video.astype(int) - clean.video).mean()
    assert 0.05 < harm < 12


def test_random_worlds_are_settled_by_the_clips_own_seed() -> None:
    world = dict.fromkeys(("lighting", "background", "camera", "degradation"), "random")
    specs = random_specs(40, 0, frames=2, size=32, **world)  # type: ignore[arg-type]
    drawn = {field: {getattr(spec, field) for spec in specs} for field in world}
    assert drawn["lighting"] == set(LIGHTS)
    assert drawn["background"] == set(BACKGROUNDS) - {"transparent"}
    assert drawn["camera"] == set(CAMERAS)
    assert drawn["degradation"] == {"none", *DEGRADATIONS}
    asked = PuppetSpec("hana", "walk", "auto:sad", 9, 2, 32, **world)  # type: ignore[arg-type]
    assert render_clip(asked).video.tobytes() == render_clip(asked.settled()).video.tobytes()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("lighting", "noon", "day, right, dusk"),
        ("background", "sea", "transparent, plain"),
        ("camera", "dolly", "still, pan, zoom, shake"),
        ("camera", "pan+dolly", "still, pan, zoom, shake"),
        ("degradation", "rain", "none, compression, blur"),
        ("hold", 4, "must be 1, 2 or 3"),
    ],
)
def test_unknown_worlds_are_refused(field: str, value: object, words: str) -> None:
    with pytest.raises(UserError, match=words):
        render_clip(_spec(**{field: value}))
    with pytest.raises(UserError, match=words):
        random_specs(1, 0, **{field: value})  # type: ignore[arg-type]


def test_depth_order_draws_background_first() -> None:
    clip = render_clip(_spec(background="room", frames=3), truth=True)
    assert clip.depth_order.shape == (3, len(clip.parts))
    assert [clip.parts[i] for i in clip.depth_order[0][:2]] == [f"{PREFIX}0", f"{PREFIX}1"]
    assert (np.sort(clip.depth_order, axis=1) == np.arange(len(clip.parts))).all()
