"""Animator: a trained generator as a function from pose, expression and character to a clip."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .. import rng
from ..batch import ClipBatch, to_display_range
from ..data.clips import with_nearest_references
from ..distributed import choose_device
from ..drawings import Drawings
from ..errors import UserError
from ..expressions import expression_track
from ..models.generator import Generator
from ..pose_files import PoseSequence
from .new_character import NEW_CHARACTER, NewCharacter, new_character
from .pose_source import pose_from_arrays, read_pose
from .weights_file import SHIPPED, References, load_generator

CHUNK_FRAMES = 16
"""Frames made at once: memory does not grow with a clip's length, and the temporal state carries over."""


class Animator:
    """Makes clips.

    Attributes:
        generator: the network, in eval mode.
        references: each character's frames that texture is carried from.
        characters, expressions: names it knows.
        size: pixels per side of a made frame.
        fps: of the clips it was trained on.
        newcomer: the one character it animates where that was not among those of the training; else None.
    """

    def __init__(
        self,
        generator: Generator,
        references: References,
        device: torch.device,
        newcomer: NewCharacter | None = None,
    ) -> None:
        self.references = references if newcomer is None else {NEW_CHARACTER: newcomer.frames}
        self.generator = generator.to(device).eval()
        self.device = device
        self.newcomer = newcomer
        self.characters = generator.domain.characters if newcomer is None else (NEW_CHARACTER,)
        self.expressions = generator.domain.expressions
        self.size = generator.config.size
        self.fps = generator.domain.fps

    def of(self, drawings: Drawings) -> "Animator":
        """The same network for a character it was not trained on.

        Under another skeleton than its own it only warps: what it learned of one kind of body took more from a
        drawing of another kind than it gave (LOG.md 2026-11-21), until few-shot training has shown it that one.

        Args:
            drawings: one or a few labelled pictures of the character, of any skeleton
                (temporal_gan.labelled_pictures, temporal_gan.drawings).
        Raises:
            UserError: a network that works without references, or whose weights are tied to another skeleton.
        """
        config, domain = self.generator.config, self.generator.domain
        if not config.references:
            raise UserError(
                "--reference: this animator carries nothing over from references (model.references: 0)"
            )
        if config.joint_maps and drawings.skeleton.joints != domain.skeleton.joints:
            raise UserError(
                f"--reference: is of skeleton {drawings.skeleton.name}, and this animator's weights are tied to "
                f"{domain.skeleton.name} (model.joint_maps)"
            )
        newcomer = new_character(drawings, self.size, domain.channels)
        generator = Generator(config, replace(domain, skeleton=drawings.skeleton))
        generator.load_state_dict(self.generator.state_dict())
        if drawings.skeleton.joints != domain.skeleton.joints:
            generator.forget()
        return Animator(generator.requires_grad_(False), {}, self.device, newcomer)

    def generate(
        self,
        pose: str | PoseSequence | np.ndarray,
        expression: str | np.ndarray | None = None,
        character: str | None = None,
        frames: int | None = None,
        size: int | None = None,
        seed: int = 0,
        reference: Drawings | None = None,
    ) -> Tensor:
        """Make a clip; the same arguments give the same clip.

        Args:
            pose: a source as for ``--pose``, a sequence, or keypoints [T, J, 2] in [0, 1].
            expression: a specification as for ``--expression``, or intensities [T, E] in [0, 1], NaN where
                not known; None: neutral, where the network knows expressions at all.
            character: one of ``characters``; None: the first.
            frames: T; None: the pose's own length.
            size: pixels per side of the result; None: the network's own.
            seed: of the clip's noise and of a named motion.
            reference: labelled pictures of a character it was not trained on, to be animated instead; see :meth:`of`.
        Returns:
            float32 [T, C, S, S] in [0, 1], C = 3, or 4 with colour premultiplied by alpha.
        Raises:
            UserError: an unknown name, or shapes that do not fit.
        """
        animator = self if reference is None else self.of(reference)
        return torch.cat(list(animator.stream(pose, expression, character, frames, size, seed)))

    @torch.no_grad()
    def stream(
        self,
        pose: str | PoseSequence | np.ndarray,
        expression: str | np.ndarray | None = None,
        character: str | None = None,
        frames: int | None = None,
        size: int | None = None,
        seed: int = 0,
    ) -> Iterator[Tensor]:
        """As :meth:`generate` without a reference, in pieces of up to ``CHUNK_FRAMES`` frames."""
        who = self._character(character)
        if size is not None and not 8 <= size <= 4096:
            raise UserError(f"--size {size}: expected 8 to 4096 pixels")
        sequence = self._pose(pose, who, frames, seed)
        face = self._face(expression, len(sequence))
        model = self.generator.config
        noise = rng.normal((1, model.nz), seed, "clip").to(self.device)
        batch = self._batch(sequence, face, who)
        state = None
        for start in range(0, len(sequence), CHUNK_FRAMES):
            part = batch.frames(slice(start, start + CHUNK_FRAMES)).to(self.device)
            made, state = self.generator(self.generator.tell(part), noise, state)
            yield _finish(made[0].float().cpu(), size)

    def _batch(self, sequence: PoseSequence, face: np.ndarray, who: str) -> ClipBatch:
        """The command as a batch of one clip without pictures, with the references that suit the whole sequence."""
        count = len(sequence)
        batch = ClipBatch(
            video=torch.zeros(1, 1, self.generator.domain.channels, self.size, self.size).expand(
                1, count, -1, -1, -1
            ),
            keypoints=_tensor(sequence.keypoints),
            confidence=_tensor(sequence.confidence),
            layer=_tensor(sequence.layer),
            expression=_tensor(np.nan_to_num(face)),
            expression_confidence=_tensor(np.isfinite(face).astype(np.float32)),
            character=torch.tensor([-1 if self.newcomer else self.characters.index(who)]),
            time=torch.arange(count)[None] / sequence.fps,
            hold=torch.arange(count)[None],
            clip_id=(who,),
        )
        wanted = self.generator.config.references
        if not wanted:
            return batch
        domain, mirrored = self.generator.domain, self.generator.config.mirrored_references
        flip = domain.skeleton.flip_permutation() if mirrored else None
        return with_nearest_references(batch, self.references.get(who, {}), wanted, flip)

    def _character(self, name: str | None) -> str:
        if name is None:
            return self.characters[0]
        if name not in self.characters:
            raise UserError(
                f"--character {name!r} is not one of this animator's: {', '.join(self.characters)}"
            )
        return name

    def _pose(
        self, pose: str | PoseSequence | np.ndarray, character: str, frames: int | None, seed: int
    ) -> PoseSequence:
        if isinstance(pose, str):
            body = self.references.get(character)
            return read_pose(pose, self.generator.domain, character, frames, seed, body)
        sequence = pose_from_arrays(pose, self.generator.domain) if isinstance(pose, np.ndarray) else pose
        if sequence.skeleton.joints != self.generator.domain.skeleton.joints:
            raise UserError(
                f"pose is of skeleton {sequence.skeleton.name}, not of {self.generator.domain.skeleton.name}"
            )
        # A missing joint may be anywhere, and often is NaN, which drawing at confidence 0 would not take out.
        there = sequence.confidence[..., None] > 0
        sequence = replace(sequence, keypoints=np.where(there, sequence.keypoints, 0).astype(np.float32))
        if not np.isfinite(sequence.keypoints).all():
            raise UserError("pose holds a joint of confidence above 0 at a place that is not a finite number")
        return sequence if frames is None else sequence.resampled(frames)

    def _face(self, expression: str | np.ndarray | None, frames: int) -> np.ndarray:
        if not self.expressions:
            if expression is not None:
                raise UserError(
                    "--expression: the clips this animator was trained on carry no expression labels"
                )
            return np.zeros((frames, 0), np.float32)
        if expression is None:
            if "neutral" not in self.expressions:
                return np.zeros((frames, len(self.expressions)), np.float32)
            expression = "neutral"
        if isinstance(expression, str):
            return expression_track(expression, frames, self.fps, self.expressions)
        if expression.shape != (frames, len(self.expressions)):
            want = (frames, len(self.expressions))
            raise UserError(
                f"expression array is {expression.shape}, expected {want}: {', '.join(self.expressions)}"
            )
        return expression.astype(np.float32)


def load_animator(source: Path | str = SHIPPED, device: str = "cpu") -> Animator:
    """Open the animator that comes with the package, an ``animator.safetensors``, or a run folder.

    Args:
        source: ``base`` for the shipped one, a file or a folder.
        device: ``cpu``, ``cuda``, ``mps`` or ``auto``.
    Raises:
        UserError: no such file, not a clip generator, damaged, or no such device.
    """
    return Animator(*load_generator(source), choose_device(device))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None]


def _finish(made: Tensor, size: int | None) -> Tensor:
    """[-1, 1] at the network's size -> [0, 1] at the wanted size; colour never exceeds alpha."""
    video = to_display_range(made)
    if size is not None and size != video.shape[-1]:
        shrinking = size < video.shape[-1]
        video = functional.interpolate(
            video, (size, size), mode="bilinear" if shrinking else "bicubic", antialias=shrinking
        ).clamp(0, 1)
    if video.shape[1] == 4:
        video = torch.cat([torch.minimum(video[:, :3], video[:, 3:]), video[:, 3:]], dim=1)
    return video
