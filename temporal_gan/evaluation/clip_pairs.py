"""A made clip and the real clip it should have been."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..data.store import Store
from ..errors import UserError
from ..skeletons import Skeleton


@dataclass(frozen=True)
class ClipPair:
    """One item to score; tensors on the CPU.

    Attributes:
        clip_id: for the report and for error messages.
        made: float [T, 3 or 4, h, w] in [0, 1]; RGBA has colour premultiplied by alpha.
        real: float [T, 3 or 4, H, W], likewise.
        fps: frames per second of both.
        character: whose clip it is.
        keypoints: float [T, J, 2] of the real clip in [0, 1] of width and height, pixel centres at
            (i + 0.5) / size, or None.
        confidence: float [T, J], 0 = missing; None = all known.
        flow: exact float [T-1, 2, H, W], pixels of the real clip, on frame t's grid, or None.
        flow_valid: bool [T-1, 1, H, W]; given with ``flow``.
        other_real: float [any T, 3 or 4, any h, any w] in [0, 1], a real clip of another character of the same set,
            for the anchor of that name; or None.
        skeleton: names of the joints of ``keypoints``, or None where nobody knows.
        expression: float [T, E], commanded intensities in [0, 1], or None.
        expression_confidence: float [T, E], 0 = not labelled; None = all known.
        expression_names: of the E channels; given with ``expression``.
        relatives: the store, and ids of its other clips of the same character; or None.
    """

    clip_id: str
    made: Tensor
    real: Tensor
    fps: float
    character: str = ""
    keypoints: Tensor | None = None
    confidence: Tensor | None = None
    flow: Tensor | None = None
    flow_valid: Tensor | None = None
    other_real: Tensor | None = None
    skeleton: Skeleton | None = None
    expression: Tensor | None = None
    expression_confidence: Tensor | None = None
    expression_names: tuple[str, ...] = ()
    relatives: tuple[Store, tuple[str, ...]] | None = None

    def validate(self) -> "ClipPair":
        """Check shapes and ranges; returns itself. UserError names the clip, what was got and expected."""
        for name, video in (("made", self.made), ("real", self.real), ("other_real", self.other_real)):
            if video is None:
                continue
            if video.ndim != 4 or video.shape[1] not in (3, 4) or not video.is_floating_point():
                got = f"{video.dtype} {tuple(video.shape)}"
                raise UserError(
                    f"clip {self.clip_id}: {name} is {got}, expected float [T, 3 or 4, H, W] in [0, 1]"
                )
            if video.numel() == 0:
                raise UserError(f"clip {self.clip_id}: {name} is empty, {tuple(video.shape)}")
            low, high = float(video.min()), float(video.max())
            # Written so that NaN fails; 1e-3 forgives the resampling and compression round-off of a decoder.
            if not (low >= -1e-3 and high <= 1 + 1e-3):
                raise UserError(
                    f"clip {self.clip_id}: {name} has values in [{low:.3g}, {high:.3g}], expected [0, 1]"
                )
        if len(self.made) != len(self.real):
            raise UserError(
                f"clip {self.clip_id}: made has {len(self.made)} frames, expected {len(self.real)} "
                "as in the real clip; cut or regenerate it, clips are never cut silently"
            )
        frames, _, height, width = self.real.shape
        joints = self.keypoints.shape[1] if self.keypoints is not None and self.keypoints.ndim == 3 else -1
        joints = joints if self.skeleton is None else len(self.skeleton.joints)
        channels = len(self.expression_names)
        for name, expected in (
            ("keypoints", (frames, joints, 2)),
            ("confidence", (frames, joints)),
            ("expression", (frames, channels)),
            ("expression_confidence", (frames, channels)),
            ("flow", (frames - 1, 2, height, width)),
            ("flow_valid", (frames - 1, 1, height, width)),
        ):
            value = getattr(self, name)
            if value is not None and tuple(value.shape) != expected:
                raise UserError(f"clip {self.clip_id}: {name} is {tuple(value.shape)}, expected {expected}")
        if (self.flow is None) != (self.flow_valid is None):
            raise UserError(
                f"clip {self.clip_id}: flow and flow_valid belong together, but only one was given"
            )
        return self


def resize_clip(video: Tensor, height: int, width: int) -> Tensor:
    """[T, C, h, w] in [0, 1] -> [T, C, height, width], bicubic, antialiased, clamped to [0, 1]."""
    if tuple(video.shape[-2:]) == (height, width):
        return video
    resized = functional.interpolate(
        video, size=(height, width), mode="bicubic", align_corners=False, antialias=True
    )
    return resized.clamp(0, 1)


def known_joints(pair: ClipPair) -> tuple[Tensor, Tensor] | None:
    """Keypoints in pixels [T, J, 2] (centres at whole numbers) and confidence [T, J]; None without labels."""
    if pair.keypoints is None:
        return None
    height, width = pair.real.shape[-2:]
    confidence = torch.ones(pair.keypoints.shape[:2]) if pair.confidence is None else pair.confidence
    if not bool((confidence > 0).any()):
        return None
    return pair.keypoints.float() * torch.tensor([width, height]) - 0.5, confidence


def frames_to_tensor(frames_u8: np.ndarray) -> Tensor:
    """uint8 [T, H, W, C] -> float [T, C, H, W] in [0, 1]."""
    return torch.from_numpy(frames_u8).permute(0, 3, 1, 2).float() / 255
