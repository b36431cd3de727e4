"""Fixed networks that others published, each behind one function: video in [0, 1] -> features or distances.

Preprocessing belongs here, not to the caller, and is part of what a result names: ``INCEPTION_PREPROCESSING`` and
so on. The weights are files (:mod:`temporal_gan.weights`); nothing is downloaded.
"""

import warnings
from pathlib import Path
from typing import Literal

import lpips
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from .errors import UserError
from .i3d import FEWEST_FRAMES, I3D, SIDE
from .weights import ALEXNET, INCEPTION, VGG16, VGG19, find_weights, load_into, read_state_dict
from .weights import I3D as I3D_WEIGHTS

INCEPTION_PREPROCESSING = (
    "torch-fidelity 0.4: rounded to uint8, TensorFlow 1 bilinear to 299x299, (x - 128) / 128"
)
I3D_PREPROCESSING = (
    "bilinear to 224x224 (half-pixel centres, no antialias), 2x - 1, logits averaged over time"
)
LPIPS_PREPROCESSING = "lpips 0.1, AlexNet, 2x - 1, scalar form"

_IMAGENET_MEAN, _IMAGENET_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pictures that torchvision's networks were trained on."""

_FIRST_OF_BLOCK = (1, 6, 11, 20, 29)
"""Places of relu1_1 to relu5_1 in VGG19."""

_CHUNK = 16
"""Pictures that pass a network at once: memory stays flat however long the clip is."""


def load_inception(path: Path | None = None) -> FeatureExtractorInceptionV3:
    """TensorFlow's Inception-v3 of 2015, torch-fidelity's port: the network of FID, KID and IS.

    Args:
        path: a weights file; None looks in the weights folder.
    Raises:
        CheckpointError: no such file, or not these weights.
    """
    file = find_weights(INCEPTION, path)
    # The package unpickles whatever the file holds; a file that passes the strict reader holds tensors only.
    read_state_dict(INCEPTION, file)
    try:
        return FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(file)
        )
    except RuntimeError as error:
        raise UserError(f"{INCEPTION.purpose}: {file}: {str(error).splitlines()[0]}") from None


@torch.no_grad()
def inception_features(network: FeatureExtractorInceptionV3, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Pool3 features and class logits without bias, of each picture.

    Args:
        network: from :func:`load_inception`.
        frames: [N, 3, H, W], [0, 1], any size.
    Returns:
        float32 [N, 2048] and [N, 1008], on the CPU.
    Raises:
        UserError: other shapes, or values outside [0, 1].
    """
    check_frames("inception_features", frames)
    pictures = to_uint8(frames)
    chunks = [network(chunk) for chunk in pictures.split(_CHUNK)]
    return torch.cat([c[0] for c in chunks]).cpu(), torch.cat([c[1] for c in chunks]).cpu()


def load_i3d(path: Path | None = None) -> I3D:
    """I3D with the Kinetics-400 weights: the network of FVD. Raises CheckpointError as :func:`load_inception`."""
    file = find_weights(I3D_WEIGHTS, path)
    network = I3D()
    load_into(network, read_state_dict(I3D_WEIGHTS, file), I3D_WEIGHTS, file)
    return network.eval().requires_grad_(False)


@torch.no_grad()
def i3d_features(network: I3D, video: Tensor) -> Tensor:
    """The 400 logits of each clip. Published FVD uses windows of 16 frames.

    Args:
        network: from :func:`load_i3d`.
        video: [B, T, 3, H, W], [0, 1], T >= 10.
    Returns:
        float32 [B, 400], on the CPU.
    Raises:
        UserError: fewer than 10 frames (FVD is not defined for them), other shapes, values outside [0, 1].
    """
    if video.ndim != 5:
        raise UserError(f"i3d_features: video is {tuple(video.shape)}, expected [B, T, 3, H, W]")
    if video.shape[1] < FEWEST_FRAMES:
        raise UserError(
            f"FVD needs clips of {FEWEST_FRAMES} frames or more (16 by custom), got {video.shape[1]}: the "
            "network's last window is longer than that; use the paired temporal metrics"
        )
    # A clip at a time: 16 frames of 224 x 224 already take a gigabyte inside the network.
    logits = []
    for clip in video:
        check_frames("i3d_features", clip)
        frames = functional.interpolate(clip.float(), (SIDE, SIDE), mode="bilinear", align_corners=False)
        logits.append(network(2 * frames.transpose(0, 1)[None] - 1))
    return torch.cat(logits).cpu()


def load_lpips(path: Path | None = None, trunk: Literal["alex", "vgg"] = "alex") -> nn.Module:
    """LPIPS 0.1; its linear heads come with the package.

    Args:
        path: torchvision's weights file of the trunk; None looks in the weights folder.
        trunk: alex is the metric. vgg is for losses (so its authors advise), and then the metric stays a judge that
            nothing was trained against.
    Raises:
        CheckpointError: no such file, or not these weights.
    """
    published = {"alex": ALEXNET, "vgg": VGG16}[trunk]
    file = find_weights(published, path)
    tensors = read_state_dict(published, file)
    with warnings.catch_warnings():
        # The package passes torchvision an argument that is going away.
        warnings.simplefilter("ignore", UserWarning)
        network = lpips.LPIPS(net=trunk, pnet_rand=True, verbose=False)
    # The package cuts the trunk into slices but keeps the numbers of its layers.
    own = {".".join(name.split(".")[1:]): name for name in network.net.state_dict()}
    trunk_tensors = {own.get(n[9:], n): v for n, v in tensors.items() if n.startswith("features.")}
    load_into(network.net, trunk_tensors, published, file)
    return network.eval().requires_grad_(False)


@torch.no_grad()
def lpips_distances(network: nn.Module, a: Tensor, b: Tensor) -> Tensor:
    """Perceptual distance of each pair of pictures (Zhang et al. 2018).

    Args:
        network: from :func:`load_lpips`.
        a, b: [N, 3, H, W], [0, 1], sides of at least 32.
    Returns:
        float64 [N], on the CPU; 0 for equal pictures, lower is nearer.
    Raises:
        UserError: shapes differ or are too small, or values outside [0, 1].
    """
    for name, frames in (("a", a), ("b", b)):
        check_frames(f"lpips_distances: {name}", frames)
    if a.shape != b.shape:
        raise UserError(
            f"lpips_distances: a is {tuple(a.shape)} and b {tuple(b.shape)}, expected equal shapes"
        )
    if min(a.shape[-2:]) < 32:
        raise UserError(f"LPIPS needs sides of 32 pixels or more, got {a.shape[-1]}x{a.shape[-2]}")
    pairs = zip(a.split(_CHUNK), b.split(_CHUNK), strict=True)
    values = [network(2 * p.float() - 1, 2 * q.float() - 1).flatten() for p, q in pairs]
    return torch.cat(values).double().cpu()


def load_vgg19(path: Path | None = None) -> nn.Sequential:
    """The first five blocks of VGG19 (Simonyan & Zisserman 2015, tab. 1, E), as far as relu5_1.

    Args:
        path: torchvision's weights file; None looks in the weights folder.
    Raises:
        CheckpointError: no such file, or not these weights.
    """
    file = find_weights(VGG19, path)
    layers: list[nn.Module] = []
    channels = 3
    for block in ([64] * 2, [128] * 2, [256] * 4, [512] * 4, [512]):
        layers += [nn.MaxPool2d(2)] if layers else []
        for width in block:
            layers += [nn.Conv2d(channels, width, 3, 1, 1), nn.ReLU()]
            channels = width
    network = nn.Sequential(*layers)
    own = network.state_dict()
    tensors = read_state_dict(VGG19, file)
    trunk = {n.removeprefix("features."): v for n, v in tensors.items()}
    # The published file goes on: more convolutions, then the classifier.
    load_into(network, {n: v for n, v in trunk.items() if n in own}, VGG19, file)
    return network.eval().requires_grad_(False)


def vgg19_features(network: nn.Sequential, frames: Tensor) -> list[Tensor]:
    """relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1 of pictures [N, 3, H, W] in [0, 1], sides of at least 16;
    differentiable. Each is [N, C, H / 2^i, W / 2^i]."""
    mean, spread = (frames.new_tensor(v).view(3, 1, 1) for v in (_IMAGENET_MEAN, _IMAGENET_SPREAD))
    x = (frames - mean) / spread
    features = []
    for place, layer in enumerate(network):
        x = layer(x)
        if place in _FIRST_OF_BLOCK:
            features.append(x)
    return features


def equispaced(frames: int, count: int) -> list[int]:
    """Which frames of a clip stand for it in FID: the centres of ``count`` equal parts; all, where it has fewer."""
    if frames <= count:
        return list(range(frames))
    return [int((i + 0.5) * frames / count) for i in range(count)]


def to_uint8(frames: Tensor) -> Tensor:
    """[0, 1] -> uint8, rounded: truncation, as some packages do, darkens every picture by half a step."""
    return (frames.clamp(0, 1) * 255).round().to(torch.uint8)


def check_frames(who: str, frames: Tensor) -> None:
    """Raise UserError unless frames are floating [N, 3, H, W] in [0, 1] (1e-4 forgives resampling round-off)."""
    if frames.ndim != 4 or frames.shape[1] != 3 or not frames.is_floating_point() or not len(frames):
        raise UserError(f"{who}: {frames.dtype} {tuple(frames.shape)}, expected float [N, 3, H, W] in [0, 1]")
    low, high = (float(v) for v in frames.aminmax())
    if not (low >= -1e-4 and high <= 1 + 1e-4):
        raise UserError(f"{who}: values in [{low:.3g}, {high:.3g}], expected [0, 1]")
