"""THE algorithm of the reader: every loss on one batch, and one update."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from ... import rng
from ...expressions import CLASSES
from ...models.reader import HEAT_SIDE, NECK, PoseReading, RawReading, Reader, locate
from ..state import TrainState
from .frames import FrameBatch
from .recipe import ReaderOptimConfig, ReaderRecipe

_HEAT_SIGMA = 0.7
"""Width of a joint's target, in cells: the mean of the cells around the hottest one is then the joint's place."""

_TEMPERATURE = 0.1
"""Of the contrastive losses (Chen et al. 2020, arXiv 2002.05709)."""

_FINDS_FACES_WITHIN = 0.12
"""In training the face crop follows the true keypoints moved by about so much of the distance from neck to nose: about
how far a trained reader's own keypoints are off, and free of its first errors."""


def build_reader_state(recipe: ReaderRecipe, start: Reader | None, device: torch.device) -> TrainState:
    """A fresh reader, or a copy of a trained one, with its optimiser; a function of the recipe and the start alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.mix_seed(recipe.train.seed, "init"))
        reader = Reader(recipe.model)
    if start is not None:
        reader.load_state_dict(start.state_dict())
    reader.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        reader.parameters(), lr=recipe.optim.lr, weight_decay=recipe.optim.weight_decay, fused=True
    )
    return TrainState(0, reader, torch.nn.ModuleDict(), None, optimizer, None)


def learning_rate(config: ReaderOptimConfig, step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine to 0 at ``steps``."""
    warm = min(1.0, (step + 1) / (config.warmup_steps + 1))
    return config.lr * warm * 0.5 * (1 + math.cos(math.pi * step / steps))


def take_reader_step(state: TrainState, batch: FrameBatch, recipe: ReaderRecipe) -> dict[str, Tensor]:
    """One update.

    Args:
        state: changed in place; ``state.step`` grows by one.
        batch: on the reader's device.
    Returns:
        scalars for the log, still on the device.
    """
    reader, device = state.generator, batch.frames.device
    assert isinstance(reader, Reader)
    # With borrowed statistics a handful of drawings cannot spoil a trained reader's.
    reader.train(bool((batch.script >= 0).all()))
    low = recipe.train.precision == "bfloat16" or (recipe.train.precision == "auto" and device.type == "cuda")
    with torch.autocast(device.type, torch.bfloat16, enabled=low):
        pose = reader.read_pose(batch.frames)
        raw = reader.read_face(
            batch.frames, *_where_faces_are(pose, batch, recipe.train.seed, state.step), pose
        )
    losses = reader_losses(raw, batch)
    total = torch.stack([getattr(recipe.losses, name) * value for name, value in losses.items()]).sum()
    optimizer = state.optimizer_generator
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(recipe.optim, state.step, recipe.train.steps)
    optimizer.zero_grad(set_to_none=True)
    total.backward()
    norm = torch.nn.utils.clip_grad_norm_(reader.parameters(), recipe.optim.max_grad_norm)
    optimizer.step()
    state.step += 1
    log = {f"loss/{name}": value.detach() for name, value in losses.items()}
    return log | {f"read/{name}": value for name, value in _figures(raw, batch).items()} | {"grad/norm": norm}


def reader_losses(raw: RawReading, batch: FrameBatch) -> dict[str, Tensor]:
    """Name as in :class:`ReaderLossConfig` -> a scalar; 0 where the batch knows nothing of it."""
    there = batch.joints_known & (batch.confidence > 0)
    log_likelihood = raw.heat.flatten(2).log_softmax(dim=-1)
    placed = -(_heat_target(batch.keypoints) * log_likelihood).sum(dim=-1)
    seen = functional.binary_cross_entropy_with_logits(raw.confidence, batch.confidence, reduction="none")
    count = len(CLASSES)
    mixture, controls = batch.expression[:, :count], batch.expression[:, count:]
    # Stores may label some classes only; an unknown one is left out of the mixture on both sides.
    known = batch.expression_known[:, :count]
    mixture = torch.where(known, mixture, 0.0)
    logits = raw.classes.masked_fill(~known, -1e4)
    classes = -(mixture * logits.log_softmax(dim=-1)).sum(dim=-1)
    flags = functional.binary_cross_entropy_with_logits(raw.controls, controls.clamp(0, 1), reduction="none")
    return {
        "keypoints": _mean(placed, there),
        "confidence": _mean(seen, batch.joints_known),
        "classes": _mean(classes, (mixture.sum(dim=-1) > 0)),
        "controls": _mean(flags, batch.expression_known[:, count:]),
        "features": contrast(functional.normalize(raw.features, dim=-1), batch.script),
        "identity": contrast(raw.identity, batch.character),
    }


def contrast(vectors: Tensor, label: Tensor) -> Tensor:
    """Supervised contrastive loss: vectors of one label together, others apart (Khosla et al. 2020, eq. 2).

    Args:
        vectors: [N, D], of unit length.
        label: int64 [N]; -1 takes no part. A label that comes once has no partner and only pushes others away.
    """
    logits = vectors @ vectors.T / _TEMPERATURE
    self_ = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    counted = (label >= 0)[:, None] & (label >= 0)[None] & ~self_
    same = counted & (label[:, None] == label[None])
    log_share = logits - logits.masked_fill(~counted, -torch.inf).logsumexp(dim=1, keepdim=True).clamp_min(
        -1e4
    )
    rows = same.any(dim=1)
    per_row = -(torch.where(same, log_share, 0.0).sum(dim=1) / same.sum(dim=1).clamp_min(1))
    return _mean(per_row, rows)


def _where_faces_are(pose: PoseReading, batch: FrameBatch, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Keypoints and confidence for the face crop: about the true ones; the reader's own where nobody knows them."""
    known = batch.joints_known
    points = torch.where(known[..., None], about_here(batch, seed, step), locate(pose.heat).detach())
    return points, torch.where(known, batch.confidence, pose.confidence.detach().sigmoid())


def about_here(batch: FrameBatch, seed: int, step: int) -> Tensor:
    """True keypoints [N, 25, 2], each moved a little, and all of a picture a little more."""
    middle = batch.keypoints[:, 0]
    reach = (batch.keypoints[:, NECK] - middle).norm(dim=-1)[:, None, None] * _FINDS_FACES_WITHIN
    n, j, _ = batch.keypoints.shape
    each = rng.normal((n, j, 2), seed, "joints", step).to(middle)
    whole = rng.normal((n, 1, 2), seed, "faces", step).to(middle)
    return batch.keypoints + reach * (0.7 * each + whole)


def _heat_target(keypoints: Tensor) -> Tensor:
    """[N, 25, 2] -> [N, 25, 32 * 32], a normalised Gaussian around each joint."""
    centre = torch.arange(HEAT_SIDE, device=keypoints.device) + 0.5
    away = (centre - HEAT_SIDE * keypoints[..., None]).square() / (2 * _HEAT_SIGMA**2)
    columns, rows = (-away[..., 0, :]).softmax(dim=-1), (-away[..., 1, :]).softmax(dim=-1)
    return (rows[..., :, None] * columns[..., None, :]).flatten(-2)


@torch.no_grad()
def _figures(raw: RawReading, batch: FrameBatch) -> dict[str, Tensor]:
    """What a person wants to see of a batch: PCK@0.05 of visible joints, and accuracy where a class is meant."""
    visible = batch.joints_known & (batch.confidence > 0.75)
    points = torch.where(visible[..., None], batch.keypoints, torch.nan)
    low = points.nan_to_num(nan=2.0).amin(dim=1)
    side = (points.nan_to_num(nan=-2.0).amax(dim=1) - low).amax(dim=-1).clamp_min(1e-6)
    off = (locate(raw.heat) - batch.keypoints).norm(dim=-1) / side[:, None]
    count = len(CLASSES)
    strength, meant = batch.expression[:, :count].max(dim=-1)
    counted = (strength >= 0.5) & batch.expression_known[:, :count].all(dim=-1)
    return {
        "pck": _mean((off < 0.05).float(), visible),
        "class_accuracy": _mean((raw.classes.argmax(dim=-1) == meant).float(), counted),
    }


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    return torch.where(counted, values, 0.0).sum() / counted.sum().clamp_min(1)
