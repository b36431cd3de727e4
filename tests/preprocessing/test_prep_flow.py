"""Flow between drawings: against the puppet's exact flow, nothing across holds, the same check as training's."""

from functools import partial

import cv2
import numpy as np
import pytest
import torch
from face_clips import plain_clip, puppet
from torchvision.models.optical_flow import raft_small

from preprocessing import flow as flow_stage
from preprocessing.flow import FlowConfig, measure_flow, open_flow_network
from temporal_gan.alpha import over_white
from temporal_gan.errors import CheckpointError
from temporal_gan.optical_flow import consistent, dis_flow
from temporal_gan.raft import raft_flow_checked

DIS = FlowConfig()


def test_puppet_flow_is_found_where_it_is_said_to_be_valid() -> None:
    truth = puppet(size=128)
    made = measure_flow(plain_clip(truth.video), DIS, None)
    assert made.flow is not None
    assert made.flow_valid is not None
    assert truth.flow is not None
    assert truth.part_map is not None
    assert truth.flow_valid is not None
    assert made.flow.dtype == np.float16
    assert made.flow.shape == truth.flow.shape
    assert made.flow_valid.shape == truth.flow_valid.shape
    figure = (truth.part_map[:-1] > 0)[:, None] & truth.flow_valid
    error = np.linalg.norm(made.flow.astype(float) - truth.flow, axis=1, keepdims=True)
    turned = np.linalg.norm(made.flow.astype(float) + truth.flow, axis=1, keepdims=True)
    kept = figure & made.flow_valid
    assert kept.sum() > 0.9 * figure.sum()
    assert error[kept].mean() < 0.25
    assert turned[kept].mean() > 3 * error[kept].mean(), "this must be motion, not rest"


def test_the_other_presets_are_other_searches() -> None:
    clip = plain_clip(puppet(size=128).video)
    medium, fast = (measure_flow(clip, FlowConfig(preset=p), None).flow for p in ("medium", "fast"))
    assert medium is not None
    assert fast is not None
    assert 0.01 < np.abs(medium - fast).max() < 40


def test_held_drawings_have_no_flow_and_the_same_pictures_the_same() -> None:
    a, b = over_white(puppet(size=64).video)[[0, 4]]
    clip = plain_clip(np.stack([a, a, b, b, a, b]), [0, 0, 1, 1, 2, 3])
    made = measure_flow(clip, DIS, None)
    assert made.flow is not None
    assert made.flow_valid is not None
    for t in (0, 2):
        assert not made.flow[t].any()
        assert not made.flow_valid[t].any()
    np.testing.assert_array_equal(made.flow[1], made.flow[4])
    np.testing.assert_array_equal(made.flow_valid[1], made.flow_valid[4])
    # Rounded to 1/32 px.
    np.testing.assert_allclose(made.flow[1], dis_flow(np.stack([a, b]))[0], atol=1 / 64 + 1e-3)
    assert not (made.flow.astype(np.float32) * 32 % 1).any()
    assert np.abs(made.flow[3].astype(float) - made.flow[1]).max() > 0.5, "there and back are different flows"
    assert dict(made.facts)["flow_valid_share"] == pytest.approx(made.flow_valid[[1, 3, 4]].mean())


def test_transparent_pictures_are_looked_at_on_white_around_the_figure() -> None:
    video = np.zeros((3, 80, 96, 4), np.uint8)
    figure = puppet(size=64).video[:3, 12:44, 20:52]
    video[:, 30:62, 40:72] = figure
    shown = np.flatnonzero(video[..., 3].any(axis=(0, 2)))
    rows = slice(shown[0] - 16, min(shown[-1] + 17, 80))
    shown = np.flatnonzero(video[..., 3].any(axis=(0, 1)))
    columns = slice(shown[0] - 16, min(shown[-1] + 17, 96))
    made = measure_flow(plain_clip(video), DIS, None)
    assert made.flow is not None
    assert made.flow_valid is not None
    around = dis_flow(over_white(video)[:, rows, columns])
    np.testing.assert_allclose(made.flow[..., rows, columns], around, atol=1 / 64 + 1e-3)
    elsewhere = np.ones(video.shape[1:3], bool)
    elsewhere[rows, columns] = False
    assert elsewhere.sum() > 500
    assert not made.flow[..., elsewhere].any(), "the page does not move"
    assert made.flow_valid[..., elsewhere].all()
    assert np.abs(around).max() > 0.2


@pytest.mark.parametrize("shown", [0, 1])
def test_next_to_nothing_has_a_flow_too(shown: int) -> None:
    video = np.zeros((2, 16, 40, 4), np.uint8)
    video[:, :shown, -1:] = 255
    made = measure_flow(plain_clip(video), DIS, None)
    assert made.flow is not None
    assert made.flow_valid is not None
    assert np.abs(made.flow).max() < 0.05
    assert made.flow_valid[..., : 16 - shown, :20].all()


def test_the_check_is_that_of_the_losses() -> None:
    video = over_white(puppet(size=128, motion="jump").video)
    there, back = dis_flow(video[[0, 5]])[0], dis_flow(video[[5, 0]])[0]
    ours = flow_stage._returns(
        np.ascontiguousarray(there.transpose(1, 2, 0)), np.ascontiguousarray(back.transpose(1, 2, 0))
    )
    theirs = consistent(torch.from_numpy(there)[None], torch.from_numpy(back)[None])[0, 0].numpy()
    assert 0.02 < 1 - theirs.mean() < 0.6, "there must be something to reject"
    assert (ours == theirs).mean() > 0.998
    made = measure_flow(plain_clip(video[[0, 5]]), DIS, None)
    assert made.flow_valid is not None
    assert (made.flow_valid[0, 0] == theirs).mean() > 0.998


@pytest.mark.parametrize("frames", [np.zeros((1, 32, 32, 3), np.uint8), np.zeros((3, 8, 8, 3), np.uint8)])
def test_where_there_is_no_flow_there_is_none(frames: np.ndarray) -> None:
    made = measure_flow(plain_clip(frames), DIS, None)
    assert made.flow is None
    assert made.flow_valid is None


def test_none_is_none() -> None:
    assert measure_flow(plain_clip(puppet().video), FlowConfig(method="none"), None).flow is None


def test_raft_answers_where_it_is_asked_for() -> None:
    torch.manual_seed(1)
    network = raft_small(weights=None).eval().requires_grad_(False)
    for parameter in network.update_block.flow_head.conv2.parameters():
        torch.nn.init.zeros_(parameter)
    frames = np.random.default_rng(0).integers(0, 256, (3, 128, 128, 3), dtype=np.uint8)
    made = measure_flow(
        plain_clip(frames, [0, 1, 1]), FlowConfig(method="raft_small"), partial(raft_flow_checked, network)
    )
    assert made.flow is not None
    assert made.flow_valid is not None
    # This network says that nothing moves; DIS, on noise, would not.
    assert np.abs(made.flow[0]).max() < 0.05
    assert made.flow_valid[0].all()
    assert not made.flow_valid[1].any()


def test_raft_is_opened_or_refused(tmp_path: object) -> None:
    assert open_flow_network(DIS) is None
    with pytest.raises(CheckpointError, match="no_such"):
        open_flow_network(FlowConfig(method="raft", raft_weights="no_such.pth", device="cpu"))
    with pytest.raises(ValueError, match="open_flow_network"):
        measure_flow(plain_clip(puppet().video), FlowConfig(method="raft"), None)


def test_flow_does_not_depend_on_what_was_measured_before() -> None:
    big, small = plain_clip(puppet(size=128).video), plain_clip(puppet(size=64).video[:, ::2, ::2])
    before = measure_flow(big, DIS, None)
    measure_flow(small, DIS, None)
    after = measure_flow(big, DIS, None)
    np.testing.assert_array_equal(before.flow, after.flow)
    assert cv2.getNumThreads() == 1
