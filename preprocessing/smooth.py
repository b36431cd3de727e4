"""Tracks of joints made steady, drawing by drawing: outliers out, jitter down, short gaps filled, long ones left.

Held frames are one drawing, and must stay one: a filter that runs over every frame sees the track stop and go, and
gives each of the frames another place.
"""

from dataclasses import replace

import numpy as np
from pydantic import Field
from scipy.interpolate import PchipInterpolator

from temporal_gan.config import Section
from temporal_gan.data.manifest import ORIGINS

from .clip import Clip

_DETECTED, _INTERPOLATED = ORIGINS.index("detected"), ORIGINS.index("interpolated")
_MAD_TO_SIGMA = 1.4826
"""Of a normal distribution, median absolute deviation to standard deviation."""

_SIGMA_MIN = 0.005
"""Of the body: a track that stands still has no deviation at all."""

_REACH, _NEAR = 3, 4
"""Drawings on each side that say where one should be, and from which the usual distance is taken. Of 36 combinations
these were best on puppets' tracks on ones, twos and threes together."""


class SmoothConfig(Section):
    """How tracks are made steady. Speeds are in body sizes (longer side of the joints' box) a second.

    The filter's constants were chosen on 30 shots of puppets as two detectors saw them, one exact (2.20 px of 256 off)
    and one rough (11.5 px): they make both steadier (second differences of the error 1.19 to 0.94 px, 6.8 to 5.1 px)
    and neither worse (2.20 and 11.0 px). A stronger filter (2.5 Hz, 12) takes the rough one to 10.8 and the exact one
    to 2.27.
    """

    enabled: bool = Field(default=True, description="off to see what it changes")
    pause_sec: float = Field(
        default=0.5, gt=0, description="after a longer time without a joint its track starts anew"
    )
    outlier_sigmas: float = Field(
        default=4.0,
        gt=0,
        description="a joint farther from its neighbours' median is replaced (Hampel's identifier)",
    )
    cutoff_hz: float = Field(default=6.0, gt=0, description="One-Euro filter: cutoff at rest")
    speed_coefficient: float = Field(
        default=20.0, ge=0, description="One-Euro filter: more cutoff, Hz for each body size a second"
    )
    gap_sec: float = Field(
        default=0.25, ge=0, description="longest time without a joint that is filled; beyond it stays missing"
    )
    filled_confidence: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="of a filled joint, times the lower confidence of the two it lies between",
    )


def smooth_pose(clip: Clip, config: SmoothConfig) -> Clip:
    """Make the pose of a clip steady: joints and hands, one place per drawing.

    Detected joints are cleaned (Hampel 1974) and smoothed by a One-Euro filter (Casiez, Roussel and Vogel 2012) run
    forward and backward, the mean of both, so that nothing lags. Gaps between known places are filled by a monotone
    cubic in time; nothing is filled before the first or after the last. What was imported or set by hand never moves;
    it holds the track where it is, and a joint labelled as missing stays missing, as does the gap that it lies in.

    Returns:
        the clip with its pose smoothed; ``joints_filled``, joints of drawings that were filled, in its facts.
    """
    if clip.pose is None or not config.enabled:
        return clip
    first = clip.drawings
    drawing = np.searchsorted(clip.hold[first], clip.hold)
    # A drawing's time is the middle of the time it is shown.
    time = clip.time[first] + np.bincount(drawing) / clip.fps / 2
    extent = np.array(clip.frames_u8.shape[2:0:-1], np.float64)
    pose = clip.pose
    scale = extent / _body_size(pose.keypoints[first] * extent, pose.confidence[first])

    def steady(
        places: np.ndarray, confidence: np.ndarray, origin: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # A label that any frame of a drawing has, its first frame has too.
        made = smooth_tracks(places[first] * scale, confidence[first], origin[first], time, config)
        fixed = origin != _DETECTED
        return (
            np.where(fixed[..., None], places, (made[0] / scale).astype(np.float32)[drawing]),
            np.where(fixed, confidence, made[1][drawing]),
            np.where(fixed, origin, made[2][drawing]),
        )

    keypoints, confidence, origin = steady(pose.keypoints, pose.confidence, pose.origin)
    filled = float((origin[first] == _INTERPOLATED).sum() - (pose.origin[first] == _INTERPOLATED).sum())
    smoothed = replace(pose, keypoints=keypoints, confidence=confidence, origin=origin)
    if pose.hands is not None:
        points = pose.hands.reshape(-1, 42, 3)
        detected = np.full(points.shape[:2], _DETECTED, np.uint8)
        known = detected if pose.hands_origin is None else pose.hands_origin.reshape(-1, 42)
        places, sure, known = steady(points[..., :2], points[..., 2], known)
        hands = np.concatenate([places, sure[..., None]], axis=-1).reshape(pose.hands.shape)
        smoothed = replace(smoothed, hands=hands, hands_origin=known.reshape(hands.shape[:-1]))
    return replace(clip, pose=smoothed).with_facts(joints_filled=filled)


def smooth_tracks(
    places: np.ndarray,
    confidence: np.ndarray,
    origin: np.ndarray,
    time: np.ndarray,
    config: SmoothConfig,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smooth J tracks over D drawings.

    Args:
        places: float [D, J, 2], body sizes; read only where there is confidence.
        confidence: float32 [D, J].
        origin: uint8 [D, J], index into ORIGINS; only ``detected`` joints move.
        time: float [D], seconds, growing.
        config: constants.
    Returns:
        places, confidence and origin of the same shapes; filled joints are ``interpolated``.
    """
    places, confidence, origin = places.astype(np.float64), confidence.copy(), origin.copy()
    told_missing = (confidence <= 0) & (origin != _DETECTED)
    for joint in range(places.shape[1]):
        known = np.flatnonzero(confidence[:, joint] > 0)
        if not len(known):
            continue
        track, when = places[known, joint], time[known]
        fixed = origin[known, joint] != _DETECTED
        for run in _runs(when, config.pause_sec):
            clean = _without_outliers(track[run], when[run], fixed[run], config)
            track[run] = np.where(fixed[run][:, None], track[run], _one_euro(clean, when[run], config))
        places[known, joint] = track
        for index in np.flatnonzero(confidence[:, joint] <= 0):
            after = int(np.searchsorted(known, index))
            if not 0 < after < len(known) or when[after] - when[after - 1] > config.gap_sec + 1e-9:
                continue
            if not told_missing[known[after - 1] : known[after], joint].any():
                lower = min(confidence[known[after - 1], joint], confidence[known[after], joint])
                places[index, joint] = _between(track, when, time[index])
                confidence[index, joint] = config.filled_confidence * lower
                origin[index, joint] = _INTERPOLATED
    return places, confidence, origin


def _body_size(places: np.ndarray, confidence: np.ndarray) -> float:
    sides = [
        np.ptp(p[c > 0], axis=0).max() for p, c in zip(places, confidence, strict=True) if (c > 0).sum() > 1
    ]
    return max(float(np.median(sides)), 1.0) if sides else 1.0


def _runs(time: np.ndarray, longest: float) -> list[slice]:
    """Parts of a track without a pause longer than ``longest``."""
    breaks: list[int] = (np.flatnonzero(np.diff(time) > longest) + 1).tolist()
    cuts = [0, *breaks, len(time)]
    return [slice(a, b) for a, b in zip(cuts, cuts[1:], strict=False)]


def _without_outliers(
    track: np.ndarray, time: np.ndarray, fixed: np.ndarray, config: SmoothConfig
) -> np.ndarray:
    """Hampel's identifier, on the distance from where the drawings around a drawing say that it should be: the median
    of its two neighbours and of the middles between one before it and one after it. The median of all places, as
    Hampel has it, calls every turning point of a fast limb an outlier."""
    count = len(track)
    expected = track.copy()
    for index in range(1, count - 1):
        reach = np.arange(1, min(_REACH, index, count - 1 - index) + 1)
        before, after = index - reach, index + reach
        share = ((time[index] - time[before]) / (time[after] - time[before]))[:, None]
        middles = (1 - share) * track[before] + share * track[after]
        expected[index] = np.median([*middles, track[index - 1], track[index + 1]], axis=0)
    distance = np.linalg.norm(track - expected, axis=1)
    clean = track.copy()
    for index in range(1, count - 1):
        if fixed[index]:
            continue
        near = distance[max(1, index - _NEAR) : min(count - 1, index + _NEAR + 1)]
        sigma = max(_MAD_TO_SIGMA * float(np.median(near)), _SIGMA_MIN)
        if distance[index] > config.outlier_sigmas * sigma:
            clean[index] = expected[index]
    return clean


def _one_euro(track: np.ndarray, time: np.ndarray, config: SmoothConfig) -> np.ndarray:
    forward = _one_euro_forward(track, time, config)
    backward = _one_euro_forward(track[::-1], -time[::-1], config)[::-1]
    return (forward + backward) / 2


def _one_euro_forward(track: np.ndarray, time: np.ndarray, config: SmoothConfig) -> np.ndarray:
    """Casiez et al. 2012, algorithm 1, with the speed of the place in the plane; its own derivative cutoff, 1 Hz."""
    out = track.copy()
    velocity = np.zeros(2)
    for index in range(1, len(track)):
        step = float(time[index] - time[index - 1])
        slow = _alpha(1.0, step)
        velocity = slow * (track[index] - out[index - 1]) / step + (1 - slow) * velocity
        share = _alpha(config.cutoff_hz + config.speed_coefficient * float(np.linalg.norm(velocity)), step)
        out[index] = share * track[index] + (1 - share) * out[index - 1]
    return out


def _alpha(cutoff_hz: float, step: float) -> float:
    return 1 / (1 + 1 / (2 * np.pi * cutoff_hz * step))


def _between(track: np.ndarray, time: np.ndarray, when: float) -> np.ndarray:
    if len(track) < 3:
        share = (when - time[0]) / (time[1] - time[0])
        return (1 - share) * track[0] + share * track[1]
    return np.asarray(PchipInterpolator(time, track, axis=0, extrapolate=False)(when))
