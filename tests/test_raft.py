"""RAFT as we call it: direction, units and grid are the contract's, whatever the weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import CLIP_GAN, config, puppet_store
from torch import nn
from torchvision.models.optical_flow import RAFT, raft_small

from temporal_gan.data.cache import open_cache
from temporal_gan.data.flow_source import raft_flow_source
from temporal_gan.errors import CheckpointError, ConfigError
from temporal_gan.raft import PUBLISHED, load_raft, raft_flow_checked
from temporal_gan.training.run import train
from temporal_gan.weights import FOLDER_VARIABLE

CPU = torch.device("cpu")


def frozen() -> RAFT:
    torch.manual_seed(1)
    return raft_small(weights=None).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def network() -> RAFT:
    """Random weights."""
    return frozen()


@pytest.fixture(scope="module")
def drift() -> RAFT:
    """Knows one answer: each of its 12 updates adds (1/64, -1/32) of its own pixels, eight of ours."""
    network = frozen()
    last = network.update_block.flow_head.conv2
    nn.init.zeros_(last.weight)
    last.bias.copy_(torch.tensor([1 / 64, -1 / 32]))
    return network


def clip(frames: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


def test_flow_leads_from_each_frame_to_the_next_on_its_own_grid(network: RAFT) -> None:
    frames = clip(3, 128, 136)
    flow, valid = raft_flow_checked(network, frames)
    assert flow.shape == (2, 2, 128, 136)
    assert valid.shape == (2, 1, 128, 136)
    assert valid.dtype == torch.bool
    pictures = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    for t in range(2):
        expected = network(pictures[t : t + 1] * 2 - 1, pictures[t + 1 : t + 2] * 2 - 1)[-1]
        torch.testing.assert_close(flow[t : t + 1], expected, rtol=1e-3, atol=1e-3)
    back = network(pictures[1:2] * 2 - 1, pictures[:1] * 2 - 1)[-1]
    assert (flow[:1] - back).abs().max() > 0.1, "these weights must tell the two directions apart"


@pytest.mark.parametrize(("height", "width"), [(128, 128), (130, 141), (64, 50)])
def test_a_known_flow_comes_out_in_pixels_x_first_whatever_the_size(
    drift: RAFT, height: int, width: int
) -> None:
    flow, valid = raft_flow_checked(drift, clip(2, height, width))
    enlarged = -(-128 // min(height, width))
    assert flow.shape == (1, 2, height, width)
    expected = torch.tensor([12 * 8 / 64, -12 * 8 / 32]) / enlarged
    torch.testing.assert_close(flow[0], expected[:, None, None].expand(2, height, width), rtol=1e-4, atol=0)
    assert not valid.any(), "forward and back both lead to the right: no pixel returns"


def test_flow_that_returns_is_valid_but_where_it_leaves_the_picture() -> None:
    still = frozen()
    for parameter in still.update_block.flow_head.conv2.parameters():
        nn.init.zeros_(parameter)
    flow, valid = raft_flow_checked(still, clip(2, 128, 128))
    assert not flow.any()
    assert valid.all()


def test_other_frames_are_refused(network: RAFT) -> None:
    for frames in (clip(1, 128, 128), clip(2, 128, 128)[..., :2], clip(2, 128, 128).astype(np.float32)):
        with pytest.raises(ValueError, match="expected uint8"):
            raft_flow_checked(network, frames)


def test_a_caches_flow_is_the_networks_and_named_after_its_weights(drift: RAFT, tmp_path: Path) -> None:
    store = puppet_store(tmp_path / "store", clips=1, frames=2, size=16)
    caches = []
    for number, network in enumerate((drift, frozen())):
        file = tmp_path / f"{number}.pth"
        torch.save(network.state_dict(), file)
        name, source = raft_flow_source(store, "raft_small", file, CPU)
        caches.append(open_cache(store, 16, name, source, quiet=True))
    assert caches[0].path != caches[1].path
    flow, _ = caches[0].flow(0, 0, 2)
    np.testing.assert_allclose(flow[:, 0], 12 * 8 / 64 / 8, rtol=1e-2)


@pytest.mark.parametrize("size", ["raft", "raft_small"])
def test_a_missing_file_is_named_with_its_source(
    size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(CheckpointError) as caught:
        load_raft(size, None, CPU)
    line = str(caught.value)
    assert "\n" not in line
    assert str(tmp_path / PUBLISHED[size].file) in line
    assert PUBLISHED[size].file.endswith(f"-{PUBLISHED[size].sha256}.pth")


def test_the_small_networks_file_does_not_fit_the_large_one(network: RAFT, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "small.pth")
    with pytest.raises(CheckpointError, match="expected the tensors of raft_large"):
        load_raft("raft", tmp_path / "small.pth", CPU)


def test_a_run_trains_on_flow_by_raft(drift: RAFT, tmp_path: Path) -> None:
    store = puppet_store(tmp_path / "store", clips=2, frames=3)
    torch.save(drift.state_dict(), tmp_path / "raft.pth")
    raft = {"data__flow": "raft_small", "data__flow_file": str(tmp_path / "raft.pth")}
    train(config(CLIP_GAN, train__steps=1, **raft), store.path, tmp_path / "run", quiet=True)
    assert len(list((store.path / "cache").glob("*_32_raft_small_????????"))) == 1
    with pytest.raises(ConfigError, match="data.flow_file is for data.flow: raft"):
        config(CLIP_GAN, data__flow="dis", data__flow_file="a.pth")
