"""Published networks behind one function each: equal to their packages with the same random weights."""

import warnings
from pathlib import Path

import lpips
import pytest
import torch
import torchvision
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchmetrics.functional.image.lpips import _LPIPS

from temporal_gan import features
from temporal_gan.errors import CheckpointError, UserError
from temporal_gan.i3d import I3D


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights under the published names: built without its constructor, which would download."""
    torch.manual_seed(0)
    blank = object.__new__(FeatureExtractorInceptionV3)
    file = tmp_path_factory.mktemp("weights") / "inception.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        patch.setattr(torch, "load", lambda *a, **k: {})
        FeatureExtractorInceptionV3.__init__(blank, "x", ["2048"], feature_extractor_weights_path="x")
    torch.save(blank.state_dict(), file)
    return file


@pytest.fixture(scope="module")
def alexnet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    torch.save(torchvision.models.alexnet(weights=None).state_dict(), file)
    return file


def test_inception_features_are_bit_equal_to_torch_fidelity(inception_file: Path) -> None:
    frames = torch.rand(2, 3, 40, 56, generator=torch.Generator().manual_seed(1))
    pool, logits = features.inception_features(features.load_inception(inception_file), frames)
    theirs = FeatureExtractorInceptionV3(
        "x", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(inception_file)
    )
    expected = theirs((frames * 255 + 0.5).to(torch.uint8))
    assert torch.equal(pool, expected[0])
    assert torch.equal(logits, expected[1])
    assert pool.shape == (2, 2048)
    assert logits.shape == (2, 1008)
    assert float((pool[0] - pool[1]).abs().max()) > 0


def test_pictures_are_rounded_and_not_truncated() -> None:
    assert features.to_uint8(torch.tensor([0.999, 0.5, 0.0019, 1.0])).tolist() == [255, 128, 0, 255]


def test_lpips_equals_lpips_and_torchmetrics(alexnet_file: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    a = torch.rand(3, 3, 48, 64, generator=generator)
    b = (a + 0.2 * torch.rand(a.shape, generator=generator)).clamp(0, 1)
    network = features.load_lpips(alexnet_file)
    ours = features.lpips_distances(network, a, b)
    state = {k: v for k, v in torch.load(alexnet_file).items() if k.startswith("features.")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
        other = _LPIPS(pretrained=True, net="alex", pnet_rand=True).eval()
    for package in (theirs, other):
        trunk = package.net
        for index, own in enumerate(("0", "3", "6", "8", "10")):
            layer = dict(trunk.named_modules())[f"slice{index + 1}.{own}"]
            layer.load_state_dict({k: state[f"features.{own}.{k}"] for k in ("weight", "bias")})
        with torch.no_grad():
            expected = package(a, b, normalize=True).flatten().double()
        torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-8)
    assert (ours > 1e-6).all()
    assert features.lpips_distances(network, a, a).tolist() == [0, 0, 0]
    one_by_one = [features.lpips_distances(network, a[i : i + 1], b[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(torch.cat(one_by_one), ours, rtol=1e-5, atol=1e-8)


def test_weights_of_another_network_are_named(alexnet_file: Path) -> None:
    with pytest.raises(CheckpointError, match="FVD: .*alexnet.pth"):
        features.load_i3d(alexnet_file)
    with pytest.raises(UserError, match="Inception score: .*alexnet.pth"):
        features.load_inception(alexnet_file)


def test_fvd_of_eight_frames_is_refused() -> None:
    network = I3D().eval()
    with pytest.raises(UserError, match="10 frames or more .* got 8"):
        features.i3d_features(network, torch.zeros(1, 8, 3, 16, 16))


@pytest.mark.parametrize("bad", [torch.full((2, 3, 40, 40), 1.2), torch.full((2, 3, 40, 40), -1.0)])
def test_values_outside_the_range_are_refused(bad: torch.Tensor) -> None:
    with pytest.raises(UserError, match=r"expected \[0, 1\]"):
        features.check_frames("x", bad)
    with pytest.raises(UserError, match="expected float"):
        features.check_frames("x", torch.zeros(2, 3, 4, 4, dtype=torch.uint8))


def test_equispaced_frames_are_centres_of_equal_parts() -> None:
    assert features.equispaced(16, 4) == [2, 6, 10, 14]
    assert features.equispaced(3, 4) == [0, 1, 2]
    assert features.equispaced(7, 1) == [3]


def test_vgg19_features_are_those_of_torchvisions_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    vgg = torchvision.models.vgg
    theirs = vgg.make_layers(vgg.cfgs["E"], batch_norm=False)
    file = tmp_path / "vgg19.pth"
    state = {f"features.{name}": value for name, value in theirs.state_dict().items()}
    torch.save(state | {"classifier.0.weight": torch.zeros(2, 2)}, file)
    frames = torch.rand(2, 3, 32, 48, requires_grad=True)
    ours = features.vgg19_features(features.load_vgg19(file), frames)
    normal = torchvision.transforms.functional.normalize(frames, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    # Up to the first rectifier of each block.
    for got, end in zip(ours, (2, 7, 12, 21, 30), strict=True):
        assert torch.equal(got, theirs[:end](normal))
    assert [f.shape[1] for f in ours] == [64, 128, 256, 512, 512]
    ours[-1].sum().backward()
    assert frames.grad is not None
    assert float(frames.grad.abs().sum()) > 0


def test_weights_that_are_not_vgg19_are_refused_in_one_line(alexnet_file: Path) -> None:
    with pytest.raises(CheckpointError, match="perceptual loss: .*alexnet.pth lacks"):
        features.load_vgg19(alexnet_file)


@pytest.mark.slow
def test_lpips_for_losses_has_another_trunk_and_can_be_learned_through(tmp_path: Path) -> None:
    torch.manual_seed(0)
    vgg = torchvision.models.vgg
    trunk = vgg.make_layers(vgg.cfgs["D"], batch_norm=False)
    file = tmp_path / "vgg16.pth"
    torch.save({f"features.{name}": value for name, value in trunk.state_dict().items()}, file)
    network = features.load_lpips(file, "vgg")
    a, b = torch.rand(2, 3, 32, 32, requires_grad=True), torch.rand(2, 3, 32, 32)
    distance = network(2 * a - 1, 2 * b - 1)
    assert distance.shape == (2, 1, 1, 1)
    assert float(network(2 * b - 1, 2 * b - 1).abs().max()) == 0
    distance.sum().backward()
    assert a.grad is not None
    assert float(a.grad.abs().sum()) > 0
    theirs = _LPIPS(pretrained=False, net="vgg", pnet_rand=True).eval()
    own = {".".join(n.split(".")[1:]): n for n in theirs.net.state_dict()}
    theirs.net.load_state_dict({own[n]: v for n, v in trunk.state_dict().items() if n in own})
    theirs.load_state_dict(network.state_dict(), strict=False)
    torch.testing.assert_close(distance, theirs(2 * a - 1, 2 * b - 1))
