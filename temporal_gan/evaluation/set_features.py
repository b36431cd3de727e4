"""What each network makes of a clip, for comparisons of whole sets, and of a real clip's anchors too."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from .. import rng
from ..expressions import CLASSES
from ..features import equispaced, i3d_features, inception_features
from ..i3d import I3D
from ..metrics.pose import keypoint_box_side
from ..metrics.pose_distribution import pose_motion_features
from ..models.reader import Reader, Reading, read_video
from .anchors import shuffled_order
from .clip_sets import SetClip
from .protocols import SetProtocol

Features = dict[str, np.ndarray]
"""What was made of a clip's frames -> float32 [K, D]; see :func:`feature_key`."""

KINDS = ("pool", "logits", "mode", "motion")
"""``pool``: what the distances are of; each function below says what else it gives."""

JOINT_FOUND, FACE_SURE = 0.25, 0.5
"""Confidence above which a read joint, and a read face, count."""

NO_FACE = -1.0


def feature_key(anchor: str, kind: str) -> str:
    """Name in :data:`Features` of one of :data:`KINDS`, of the clip itself (``anchor`` empty) or of an anchor."""
    if not anchor:
        return kind
    return anchor if kind == "pool" else f"{anchor}/{kind}"


def inception_pictures(
    network: FeatureExtractorInceptionV3, clip: SetClip, protocol: SetProtocol
) -> Features:
    """Frames of a clip through Inception: ``pool`` [K, 2048] and ``logits`` [K, 1008]."""
    picks = equispaced(len(clip.video), protocol.vectors_per_clip)
    wanted = [*picks, 0] if clip.real else picks
    device = next(network.parameters()).device
    vectors, logits = (f.numpy() for f in inception_features(network, clip.video[wanted].to(device)))
    count = len(picks)
    found = {"pool": vectors[:count], "logits": logits[:count]}
    if clip.real:
        # A frozen clip shows its first frame at every moment.
        found["copy_first_frame"] = vectors[count:].repeat(count, axis=0)
    return found


def i3d_window(network: I3D, clip: SetClip, protocol: SetProtocol) -> Features:
    """A window of a clip through I3D: ``pool`` [1, 400]; empty for a clip shorter than the window."""
    window = _window(clip, protocol)
    if window is None:
        return {}
    device = next(network.parameters()).device
    return {
        feature_key(anchor, "pool"): i3d_features(network, window[order][None].to(device)).numpy()
        for anchor, order in _orders(clip, protocol).items()
    }


def reader_pictures(network: Reader, clip: SetClip, protocol: SetProtocol) -> Features:
    """Frames of a clip as the reader sees them: ``pool`` [K, D], from :func:`pose_and_expression`, and ``mode`` [K, 1],
    the number of the class read from the face, -1 where the reader is not sure of a face."""
    picks = equispaced(len(clip.video), protocol.vectors_per_clip)
    found = _picture_features(read_video(network, clip.video[picks]), "")
    if clip.real:
        frozen = _picture_features(read_video(network, clip.video[:1]), "copy_first_frame")
        found |= {key: rows.repeat(len(picks), axis=0) for key, rows in frozen.items()}
    return found


def reader_window(network: Reader, clip: SetClip, protocol: SetProtocol) -> Features:
    """A window of a clip as the reader sees it: ``pool`` [1, 3 D], from :func:`window_vector`, and ``motion`` [1, 64],
    from :func:`temporal_gan.metrics.pose_distribution.pose_motion_features`; empty for a clip shorter than the window.
    """
    window = _window(clip, protocol)
    if window is None:
        return {}
    reading = read_video(network, window)
    seen = pose_and_expression(reading.features)
    present = reading.confidence > JOINT_FOUND
    keypoints = reading.keypoints * torch.tensor([window.shape[-1], window.shape[-2]])
    found = {}
    # The reader sees one frame at a time: frames in another order are the same readings in another order.
    for anchor, order in _orders(clip, protocol).items():
        found[feature_key(anchor, "pool")] = window_vector(seen[order]).numpy()[None]
        motion = _joint_motion(keypoints[order], present[order], clip.fps)
        found[feature_key(anchor, "motion")] = motion.float().numpy()
    return found


def pose_and_expression(features: Tensor) -> Tensor:
    """The reader's features [N, D] at length sqrt(D): only their direction was trained, so only it means anything.

    A coordinate then has mean square 1, and the kernel of :mod:`temporal_gan.metrics.kernel` sees the cosine.
    """
    return functional.normalize(features, dim=-1) * features.shape[-1] ** 0.5


def window_vector(features: Tensor) -> Tensor:
    """One vector for a window: what is shown, how fast it changes, how abruptly.

    Mean over time of the features, of the size of their first, and of their second differences, by coordinate. The
    mean alone would not notice frames in another order or standing still. Of the differences the size counts, not the
    sign, whose mean is but the way from the first frame to the last: standing still is 0, frames out of order are
    large, jitter is larger in the second differences than in the first.

    Args:
        features: [T, D], T >= 3.
    Returns:
        [3 D].
    """
    first, second = features.diff(dim=0), features.diff(n=2, dim=0)
    return torch.cat([features.mean(dim=0), first.abs().mean(dim=0), second.abs().mean(dim=0)])


def _window(clip: SetClip, protocol: SetProtocol) -> Tensor | None:
    """Frames of the window at a random place that depends on the clip's name alone."""
    frames = protocol.window
    if len(clip.video) < frames:
        return None
    places = rng.numpy_generator(protocol.seed, "window", clip.name)
    start = int(places.integers(len(clip.video) - frames + 1))
    return clip.video[start : start + frames]


def _orders(clip: SetClip, protocol: SetProtocol) -> dict[str, Tensor]:
    """Anchor ("" is the clip itself) -> which frame of the window stands at each place."""
    frames = protocol.window
    orders = {"": torch.arange(frames)}
    if clip.real:
        orders["copy_first_frame"] = torch.zeros(frames, dtype=torch.int64)
        orders["shuffled"] = torch.from_numpy(shuffled_order(frames, protocol.seed, clip.name))
    return orders


def _picture_features(reading: Reading, anchor: str) -> Features:
    shown = reading.expression[:, : len(CLASSES)].argmax(dim=-1).float()
    mode = torch.where(reading.face > FACE_SURE, shown, NO_FACE)
    return {
        feature_key(anchor, "pool"): pose_and_expression(reading.features).numpy(),
        feature_key(anchor, "mode"): mode[:, None].numpy(),
    }


def _joint_motion(keypoints: Tensor, present: Tensor, fps: float) -> Tensor:
    """[T, J, 2] in pixels and bool [T, J] -> [1, 64]."""
    side = keypoint_box_side(keypoints[None], present[None])
    # A frame in which nobody was found must not shrink the character; less than a pixel is no size at all.
    side = torch.where(side > 0, side, side.max()).clamp_min(1.0)
    return pose_motion_features(keypoints[None], present[None], side, fps, len(keypoints))
