"""ClipBatch: the one thing that crosses the border between data, models and metrics.

Shape legend of the whole project: B clips, T frames, J joints, E expression channels, C colour channels, H x W pixels,
R reference frames.
"""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

SHOWN_FIELDS = ("video", "keypoints", "confidence", "layer", "expression", "expression_confidence")
"""What every frame of a :class:`ClipBatch` shows, [B, T, ...]: its picture and its labels."""


@dataclass(frozen=True)
class ClipBatch:
    """Clips with everything known about each frame. All tensors float32 unless said.

    Attributes:
        video: [B, T, C, H, W], C = 3 RGB, or 4 RGBA with colour premultiplied by alpha; [0, 1] mapped to [-1, 1].
        keypoints: [B, T, J, 2], x, y in [0, 1] of width and height, sub-pixel, pixel centres at (i + 0.5) / size.
        confidence: [B, T, J], 0 = missing, 1 = certain.
        layer: int64 [B, T, J], depth layer of each joint, 0 nearest.
        expression: [B, T, E], intensities in [0, 1], classes first, then controls.
        expression_confidence: [B, T, E], 0 = not labelled (never read as "zero intensity").
        character: int64 [B], index into the store's character list.
        time: [B, T], seconds.
        hold: int64 [B, T]; the same drawing shown again has the same id.
        clip_id: B names, for error messages.
        flow: [B, T-1, 2, H, W] pixels (dx, dy) on frame t's grid: frame t+1 sampled at x + flow[t](x) gives frame t.
        flow_valid: bool [B, T-1, 1, H, W] on frame t's grid; False where occluded in t+1 or out of frame.
        reference_video, reference_keypoints, reference_confidence, reference_layer: [B, R, ...], R other frames of
            the same character, with the meanings above; never a frame of the window itself.
    """

    video: Tensor
    keypoints: Tensor
    confidence: Tensor
    layer: Tensor
    expression: Tensor
    expression_confidence: Tensor
    character: Tensor
    time: Tensor
    hold: Tensor
    clip_id: tuple[str, ...]
    flow: Tensor | None = None
    flow_valid: Tensor | None = None
    reference_video: Tensor | None = None
    reference_keypoints: Tensor | None = None
    reference_confidence: Tensor | None = None
    reference_layer: Tensor | None = None

    def __len__(self) -> int:
        return len(self.clip_id)

    def validate(self) -> "ClipBatch":
        """Check every shape and dtype against the legend; returns itself. Raises ValueError naming field and clips."""
        b, t, c, h, w = self.video.shape
        j, e = self.keypoints.shape[2], self.expression.shape[2]
        want: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
            "video": ((b, t, c, h, w), torch.float32),
            "keypoints": ((b, t, j, 2), torch.float32),
            "confidence": ((b, t, j), torch.float32),
            "layer": ((b, t, j), torch.int64),
            "expression": ((b, t, e), torch.float32),
            "expression_confidence": ((b, t, e), torch.float32),
            "character": ((b,), torch.int64),
            "time": ((b, t), torch.float32),
            "hold": ((b, t), torch.int64),
            "flow": ((b, t - 1, 2, h, w), torch.float32),
            "flow_valid": ((b, t - 1, 1, h, w), torch.bool),
        }
        if self.reference_video is not None:
            r = self.reference_video.shape[1]
            want |= {
                "reference_video": ((b, r, c, h, w), torch.float32),
                "reference_keypoints": ((b, r, j, 2), torch.float32),
                "reference_confidence": ((b, r, j), torch.float32),
                "reference_layer": ((b, r, j), torch.int64),
            }
        if c not in (3, 4):
            raise ValueError(f"ClipBatch.video has {c} channels, expected 3 or 4 (clips {self.clip_id})")
        if len(self.clip_id) != b:
            raise ValueError(f"ClipBatch has {b} clips but {len(self.clip_id)} clip ids")
        for name, (shape, dtype) in want.items():
            value = getattr(self, name)
            if value is None:
                continue
            if tuple(value.shape) != shape or value.dtype != dtype:
                got = f"{value.dtype} {tuple(value.shape)}"
                raise ValueError(
                    f"ClipBatch.{name} is {got}, expected {dtype} {shape} (clips {self.clip_id})"
                )
        return self

    def frames(self, part: slice) -> "ClipBatch":
        """Some frames of every clip, without flow; the references stay."""
        cut = {name: getattr(self, name)[:, part] for name in (*SHOWN_FIELDS, "time", "hold")}
        return replace(self, **cut, flow=None, flow_valid=None)

    def first_frames(self, count: int) -> "ClipBatch":
        """The first ``count`` frames of every clip, with their flow; itself where it has no more."""
        if count >= self.video.shape[1]:
            return self
        cut = self.frames(slice(count))
        if self.flow is None or self.flow_valid is None or count < 2:
            return cut
        return replace(cut, flow=self.flow[:, : count - 1], flow_valid=self.flow_valid[:, : count - 1])

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> "ClipBatch":
        """The same batch on another device, its floating-point tensors in ``dtype``."""
        moved = {
            name: value.to(device, dtype if value.is_floating_point() else value.dtype, non_blocking=True)
            for name, value in self._tensors().items()
        }
        return replace(self, **moved)  # type: ignore[arg-type]

    def pin_memory(self) -> "ClipBatch":
        """The same batch in page-locked memory, from which a CUDA device copies without making the host wait; a data
        loader calls it."""
        return replace(self, **{name: value.pin_memory() for name, value in self._tensors().items()})  # type: ignore[arg-type]

    def _tensors(self) -> dict[str, Tensor]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def to_model_range(video: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1]. With :func:`to_display_range`, the one place of this conversion."""
    return video * 2 - 1


def to_display_range(video: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1], clamped."""
    return ((video + 1) / 2).clamp(0, 1)


def composite_on_white(video: Tensor) -> Tensor:
    """Premultiplied RGBA or RGB [..., C, H, W] in [0, 1] -> RGB [..., 3, H, W] over a white page."""
    if video.shape[-3] == 3:
        return video
    return (video[..., :3, :, :] + (1 - video[..., 3:4, :, :])).clamp(0, 1)
