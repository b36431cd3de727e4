"""How good is a run so far? Held-out clips are made and measured; and are its critics learning clips by heart?

What is read from pictures is read by the loss's reader (``losses.reader``), never by the one that judges: the best
weights are chosen by these figures, and to choose by the judge is to train on it. Where a loss asks the same reader
they flatter; `temporal-gan evaluate` does not.
"""

import math

import torch
from torch import Tensor, nn

from .. import rng
from ..batch import ClipBatch, composite_on_white, to_display_range
from ..errors import UserError
from ..experiment import ExperimentConfig
from ..expressions import CLASSES
from ..losses.growing import grown
from ..metrics.diversity import sample_distance
from ..metrics.expression import SHOWN, expression_accuracy
from ..metrics.paired import SSIM_WINDOW, foreground_psnr, sharpness_ratio, ssim, union_foreground
from ..metrics.pose import keypoint_box_side, pck
from ..metrics.temporal import motion_ratio, warping_error
from ..models.generator import Generator
from ..models.reader import FACE_JOINTS, Reader, Reading, read_video
from ..run_config import BestBy
from .guides import Guides, load_loss_reader
from .state import TrainState
from .step import audience
from .validation_set import HeldClip, ValidationSet, flow_of

SAMPLES, SAMPLED_FRAMES = 4, 4
"""Clips of one condition that are compared with each other, and frames of each."""

HIGHER: frozenset[BestBy] = frozenset(
    ("foreground_psnr", "foreground_ssim", "reader_pck@0.05", "expression_accuracy")
)
"""Figures that are best when highest; the others, ratios to the real clips, are best at 1."""

_SEEN, _VISIBLE = 0.25, 0.75
"""Least confidence of a joint that was read, and of a labelled one in plain view, as in evaluation."""


class Validation:
    """Makes and measures a fixed set of clips.

    Args:
        clips: the set.
        config: of the run.
        guides: of the run; where no loss asks a reader, ``losses.reader`` is loaded.
        device: of the reader.
    Raises:
        UserError: ``train.best_by`` is a figure that these clips do not give, or there is no such reader.
    """

    def __init__(
        self, clips: ValidationSet, config: ExperimentConfig, guides: Guides, device: torch.device
    ) -> None:
        self._clips, self._config = clips, config
        self._joints = guides.joints
        own, theirs = guides.channels
        classes = [(o, t) for o, t in zip(own, theirs, strict=True) if t < len(CLASSES)]
        self._classes = [o for o, _ in classes], [t for _, t in classes]
        self._reader: Reader | None = guides.reader
        if self._reader is None and (self._joints[0] or classes):
            self._reader = load_loss_reader(config.losses.reader).to(device)
        best_by = config.train.best_by
        # The real clips' own figures: whatever they leave undefined no made clip can have.
        if best_by is not None and best_by not in (given := self.measure([c.rgb for c in clips.held])):
            raise UserError(
                f"train.best_by: {best_by} cannot be measured on this data's held-out clips; they give: "
                f"{', '.join(k for k in given if k in (*HIGHER, *_RATIOS))}"
            )

    def __call__(self, state: TrainState) -> dict[str, float]:
        """Figures for the log of everything that is defined, ``validation/NAME``; ``state.best`` is changed where a
        figure is the best so far."""
        generator = state.best_generator
        assert isinstance(generator, Generator)
        generator.eval()
        state.critics.eval()
        made = [self._make(generator, held.batch, number) for number, held in enumerate(self._clips.held)]
        figures = self.measure([_on_white(video) for video in made])
        figures |= self._diversity(generator, made)
        figures |= self._overfitting(state, made)
        generator.train()
        state.critics.train()
        best_by = self._config.train.best_by
        if best_by is not None and best_by in figures:
            value = figures[best_by]
            if state.best is None or score(best_by, value) > score(best_by, state.best[1]):
                state.best = (state.step, value)
        return {f"validation/{name}": value for name, value in figures.items()}

    def measure(self, videos: list[Tensor]) -> dict[str, float]:
        """Figures of made clips, in the set's order, each [1, T, 3, S, S] in [0, 1] on white; only those defined."""
        columns: dict[str, list[Tensor]] = {}
        readings = []
        for video, held in zip(videos, self._clips.held, strict=True):
            for name, value in _compare(video, held).items():
                columns.setdefault(name, []).append(value.double())
            if self._reader is not None:
                readings.append(read_video(self._reader, video[0]))
        figures = {name: float(torch.cat(values).nanmean()) for name, values in columns.items()}
        if "warping_error" in figures:
            real = figures.pop("warping_error_real")
            made = figures.pop("warping_error")
            figures["warping_error_ratio"] = made / real if real > 0 else math.nan
        if readings and self._joints[0]:
            figures["reader_pck@0.05"] = self._pck(readings)
        if readings and self._classes[0]:
            figures["expression_accuracy"] = self._expression(readings)
        return {name: value for name, value in figures.items() if math.isfinite(value)}

    @torch.no_grad()
    def _make(self, generator: Generator, batch: ClipBatch, number: int, sample: int = 0) -> Tensor:
        """[1, T, C, S, S] about [-1, 1], on the CPU in float32; the same noise at every step of the run."""
        weight = next(generator.parameters())
        condition = generator.tell(batch.to(weight.device, weight.dtype))
        noise = rng.normal((1, generator.config.nz), 0, "validation", number, sample).to(weight)
        return generator(condition, noise)[0].float().cpu()

    def _diversity(self, generator: Generator, made: list[Tensor]) -> dict[str, float]:
        distances = []
        for number, (first, held) in enumerate(zip(made, self._clips.held, strict=True)):
            short = held.batch.frames(slice(SAMPLED_FRAMES))
            # The generator is causal: the first frames of the whole clip are one sample.
            videos = [first[:, :SAMPLED_FRAMES]]
            videos += [self._make(generator, short, number, sample) for sample in range(1, SAMPLES)]
            samples = torch.stack([_on_white(video) for video in videos])
            masks = [union_foreground(s, to_display_range(short.video)) for s in samples]
            distances.append(sample_distance(samples, torch.stack(masks).any(dim=0)))
        value = float(torch.cat(distances).nanmean())
        return {"mode_diversity": value} if math.isfinite(value) else {}

    @torch.no_grad()
    def _overfitting(self, state: TrainState, made: list[Tensor]) -> dict[str, float]:
        """r_v of each critic (Karras et al. 2020, arXiv 2006.06676, eq. 1): where held-out clips lie between
        training clips (0) and made ones (1) in its mean logit. Undefined where training clips are not above made ones.
        """
        generator = state.best_generator
        assert isinstance(generator, Generator)
        weight = next(generator.parameters())
        stages, figures = self._config.data.growing, {}

        def mean_logit(critic: nn.Module, clips: list[tuple[ClipBatch, Tensor]]) -> float:
            logits = []
            for batch, video in clips:
                seen = grown(video.to(weight), stages, state.step)
                condition = generator.tell(batch.to(weight.device, weight.dtype), generator.config.size)
                logits.append(critic.forward(seen, condition)[0].mean())
            return float(torch.stack(logits).mean())

        held = [(h.batch, h.batch.video) for h in self._clips.held]
        trained = [(batch, batch.video) for batch in self._clips.trained]
        remade = [(h.batch, video) for h, video in zip(self._clips.held, made, strict=True)]
        shortest = min(batch.video.shape[1] for batch, _ in held + trained)
        for name, critic in audience(state, shortest) if trained else ():
            known, new, fake = (mean_logit(critic, clips) for clips in (trained, held, remade))
            if known > fake:
                figures[f"{name}_overfitting"] = (known - new) / (known - fake)
        return figures

    def _pck(self, readings: list[Reading]) -> float:
        own, theirs = map(list, self._joints)
        values = []
        for reading, held in zip(readings, self._clips.held, strict=True):
            side = held.rgb.shape[-1]
            seen = (reading.confidence[:, theirs] >= _SEEN)[..., None]
            predicted = torch.where(seen, side * reading.keypoints[:, theirs], torch.nan)[None]
            target, confidence = side * held.batch.keypoints[:, :, own], held.batch.confidence[:, :, own]
            box = keypoint_box_side(target, confidence)
            values.append(pck(predicted, target, _in_view(confidence).float(), box, 0.05))
        return float(torch.cat(values).nanmean())

    def _expression(self, readings: list[Reading]) -> float:
        """Over all clips' frames together; NaN where none counts."""
        own, theirs = self._classes
        commanded, visible = [], []
        for reading, held in zip(readings, self._clips.held, strict=True):
            known = held.batch.expression_confidence[0][:, own] > 0
            values = torch.zeros(len(known), len(CLASSES))
            values[:, theirs] = held.batch.expression[0][:, own] * known
            commanded.append(values)
            visible.append(self._face_in_view(held, reading) & known.any(dim=1))
        wanted, seen = torch.cat(commanded)[None], torch.cat(visible)[None]
        if not bool((seen & (wanted.amax(dim=-1) >= SHOWN)).any()):
            return math.nan
        read = torch.cat([reading.expression[:, : len(CLASSES)] for reading in readings])[None]
        return expression_accuracy(read, wanted, seen).accuracy

    def _face_in_view(self, held: HeldClip, reading: Reading) -> Tensor:
        """bool [T], by the labels, or by the reading where they know no face."""
        places = [own for own, theirs in zip(*self._joints, strict=True) if theirs in FACE_JOINTS]
        if len(places) < len(FACE_JOINTS):
            return reading.face > 0.5
        return _in_view(held.batch.confidence[0])[:, places].all(dim=-1)


_RATIOS = ("sharpness_ratio", "motion_ratio", "warping_error_ratio")


def score(best_by: BestBy, value: float) -> float:
    """How good a figure is, to be compared with others of the same name; higher is better."""
    return value if best_by in HIGHER else -abs(math.log(max(value, 1e-9)))


def _compare(video: Tensor, held: HeldClip) -> dict[str, Tensor]:
    """Figures [1] of a made clip on white; NaN where undefined."""
    mask = union_foreground(video, to_display_range(held.batch.video))
    figures = {
        "foreground_psnr": foreground_psnr(video, held.rgb, mask),
        "sharpness_ratio": sharpness_ratio(video, held.rgb, mask),
    }
    if video.shape[-1] >= SSIM_WINDOW:
        figures["foreground_ssim"] = ssim(video, held.rgb, mask)
    flow, _ = flow_of(video)
    if flow is None or held.flow is None or held.valid is None:
        return figures
    region = mask[:, :-1]
    return {
        **figures,
        "motion_ratio": motion_ratio(flow, held.flow, region),
        "warping_error": warping_error(video, held.flow, held.valid, region)[0],
        "warping_error_real": warping_error(held.rgb, held.flow, held.valid, region)[0],
    }


def _in_view(confidence: Tensor) -> Tensor:
    """Joints to be scored: a renderer's or a person's labels say 0.5 for one behind something, a detector's do not."""
    says_hidden = bool(torch.isin(confidence, confidence.new_tensor([0.0, 0.5, 1.0])).all())
    return confidence > (_VISIBLE if says_hidden else 0)


def _on_white(video: Tensor) -> Tensor:
    return composite_on_white(to_display_range(video))
