"""I3D against the paper's table and against the same network written a second time, without modules."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from temporal_gan.errors import CheckpointError
from temporal_gan.features import i3d_features, load_i3d
from temporal_gan.i3d import I3D, pad_same


def random_network() -> I3D:
    torch.manual_seed(0)
    network = I3D().eval().requires_grad_(False)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    return network


def test_parameter_count_is_the_published_one() -> None:
    """12,697,264 with the 400-class layer: 12.3 million in the trunk and 410,000 in the classifier."""
    network = I3D()
    total = sum(p.numel() for p in network.parameters())
    head = 1024 * 400 + 400
    assert sum(p.numel() for p in network.logits.parameters()) == head
    assert total == 12_697_264
    assert "Mixed_5c.b2b.conv3d.weight" in network.state_dict()


@pytest.mark.parametrize(
    ("size", "kernel", "stride"),
    [(16, 7, 2), (9, 7, 2), (10, 3, 2), (7, 2, 2), (8, 3, 1), (5, 1, 1), (6, 3, 3)],
)
def test_same_padding_gives_tensorflows_sizes(size: int, kernel: int, stride: int) -> None:
    x = torch.ones(1, 1, size, size, size)
    padded = pad_same(x, (kernel,) * 3, (stride,) * 3)
    outputs = (padded.shape[-1] - kernel) // stride + 1
    assert outputs == -(-size // stride)
    before = int(
        (padded[0, 0, padded.shape[2] // 2, padded.shape[3] // 2] == 0).nonzero().lt(size // 2).sum()
    )
    total = padded.shape[-1] - size
    assert total >= 0
    assert before == total // 2


def second_opinion(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """The trunk once more: explicit padding by index arithmetic, batch norm by its formula, branches by name."""

    def same(x: Tensor, kernel: list[int], stride: list[int], fill: float) -> Tensor:
        for dim, (k, s) in enumerate(zip(kernel, stride, strict=True), start=2):
            size = x.shape[dim]
            need = max(k - s, 0) if size % s == 0 else max(k - size % s, 0)
            shape = list(x.shape)
            shape[dim] = size + need
            wide = x.new_full(shape, fill)
            wide.narrow(dim, need // 2, size).copy_(x)
            x = wide
        return x

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = weights[f"{name}.conv3d.weight"]
        x = functional.conv3d(
            same(x, list(kernel.shape[2:]), [stride] * 3, 0.0), kernel, stride=(stride, stride, stride)
        )
        scale = weights[f"{name}.bn.weight"] / (weights[f"{name}.bn.running_var"] + 0.001).sqrt()
        shift = weights[f"{name}.bn.bias"] - weights[f"{name}.bn.running_mean"] * scale
        return (x * scale.view(-1, 1, 1, 1) + shift.view(-1, 1, 1, 1)).clamp_min(0)

    def pool(x: Tensor, kernel: list[int], stride: list[int]) -> Tensor:
        return functional.max_pool3d(same(x, kernel, stride, -torch.inf), kernel, stride)

    x = pool(conv(x, "Conv3d_1a_7x7", 2), [1, 3, 3], [1, 2, 2])
    x = pool(conv(conv(x, "Conv3d_2b_1x1"), "Conv3d_2c_3x3"), [1, 3, 3], [1, 2, 2])
    for stage in ("3b", "3c", "pool4", "4b", "4c", "4d", "4e", "4f", "pool5", "5b", "5c"):
        if stage.startswith("pool"):
            x = pool(x, [3, 3, 3] if stage == "pool4" else [2, 2, 2], [2, 2, 2])
            continue
        block = f"Mixed_{stage}"
        branches = [
            conv(x, f"{block}.b0"),
            conv(conv(x, f"{block}.b1a"), f"{block}.b1b"),
            conv(conv(x, f"{block}.b2a"), f"{block}.b2b"),
            conv(pool(x, [3, 3, 3], [1, 1, 1]), f"{block}.b3b"),
        ]
        x = torch.cat(branches, dim=1)
    return x


@pytest.mark.parametrize("shape", [(16, 64, 64), (11, 45, 66)])
def test_trunk_agrees_with_a_second_implementation(shape: tuple[int, int, int]) -> None:
    network = random_network()
    x = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    own = network.trunk(x)
    other = second_opinion(network.state_dict(), x)
    assert own.shape[2:] == (-(-shape[0] // 8), -(-shape[1] // 32), -(-shape[2] // 32))
    assert float(other.std()) > 1e-4
    torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-6)


def test_files_older_than_the_step_counter_of_batch_norm_load(tmp_path: Path) -> None:
    network = random_network()
    tensors = {n: v for n, v in network.state_dict().items() if not n.endswith("num_batches_tracked")}
    torch.save(tensors, tmp_path / "i3d.pt")
    loaded = load_i3d(tmp_path / "i3d.pt").state_dict()
    assert all(torch.equal(loaded[n], v) for n, v in tensors.items())
    del tensors["Mixed_4c.b0.bn.running_var"]
    torch.save(tensors, tmp_path / "i3d.pt")
    with pytest.raises(CheckpointError, match=r"lacks Mixed_4c.b0.bn.running_var"):
        load_i3d(tmp_path / "i3d.pt")


@pytest.mark.slow
def test_logits_are_the_mean_over_time_of_pooled_windows() -> None:
    network = random_network()
    video = torch.rand(1, 16, 3, 48, 40, generator=torch.Generator().manual_seed(2))
    logits = i3d_features(network, video)
    x = functional.interpolate(video[0], (224, 224), mode="bilinear") * 2 - 1
    trunk = second_opinion(network.state_dict(), x.transpose(0, 1)[None])
    assert trunk.shape == (1, 1024, 2, 7, 7)
    weights = network.state_dict()
    expected = weights["logits.conv3d.weight"].view(400, 1024) @ trunk.mean(dim=(2, 3, 4))[0]
    torch.testing.assert_close(logits[0], expected + weights["logits.conv3d.bias"], rtol=1e-3, atol=1e-5)
