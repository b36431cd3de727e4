"""Motion-expression coherence: do face and body belong to one performance, and to the one that was commanded?

A peak correlation on 16 frames is noise (its null has a median of 0.69), so sums are pooled over clips of at least
64 frames, fewer than 512 pooled frames are refused, and every correlation between face and body comes with the
null of shuffled pairs.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError

FEWEST_FRAMES, FEWEST_POOLED = 64, 512

EVENT_SECONDS = 0.05
"""Width of a match between events: 3 frames at 60 fps, as in AIST++ (Li et al. 2021)."""


@dataclass(frozen=True)
class CommandLag:
    """Attributes: frames the made curve comes late (negative: early); correlation there; correlation at lag 0."""

    frames: int
    peak: float
    at_zero: float


@dataclass(frozen=True)
class CoherenceGap:
    """How far the made clips' correlation of body and face lies from the real one.

    Attributes:
        made, real: pooled correlation of motion energy and expression rate, [-1, 1].
        gap: |made - real|; lower is better.
        null_mean, null_spread: of the made correlation with faces dealt to other clips.
        z: (made - null_mean) / null_spread.
        p_value: how often a random deal correlates as strongly as the clips do, one-sided.
    """

    made: float
    real: float
    gap: float
    null_mean: float
    null_spread: float
    z: float
    p_value: float


def motion_energy(keypoints: Tensor, present: Tensor, box_side: Tensor, fps: float) -> Tensor:
    """Sum of joint speeds: [B, T, J, 2], bool [B, T, J], [B, T] -> [B, T-1], box sides a second."""
    side = box_side.double().median(dim=1).values.clamp_min(1e-9)[:, None]
    speed = keypoints.double().diff(dim=1).norm(dim=-1)
    return torch.where(present[:, 1:] & present[:, :-1], speed, 0.0).sum(dim=-1) * fps / side


def expression_rate(intensity: Tensor, fps: float) -> Tensor:
    """How fast the face changes: [B, T, E] -> [B, T-1], the length of the change, per second."""
    return intensity.double().diff(dim=1).norm(dim=-1) * fps


def command_lag(commanded: Tensor, measured: Tensor, largest: int = 8) -> CommandLag:
    """The shift at which measured curves follow the commanded ones best; sums pooled over clips before dividing.

    Args:
        commanded, measured: [B, T], one channel, T >= 64, B * T >= 512.
        largest: lags from ``-largest`` to ``largest`` frames are tried.
    Raises:
        UserError: too few frames, shapes disagree, or a curve that never changes.
    """
    _check("command_lag", commanded, measured)
    values = [
        _pooled_correlation(*_shifted(commanded, measured, lag)) for lag in range(-largest, largest + 1)
    ]
    best = int(np.argmax(values))
    return CommandLag(frames=best - largest, peak=values[best], at_zero=values[largest])


def onsets(curve: Tensor, fps: float) -> list[Tensor]:
    """When a curve starts to rise: peaks of its rise that exceed their clip's mean by one standard deviation.

    Args:
        curve: [B, T].
        fps: frames a second.
    Returns:
        B tensors of times in seconds, at the middle of the steepest step.
    """
    rise = curve.double().diff(dim=1).clamp_min(0)
    level = rise.mean(dim=1, keepdim=True) + rise.std(dim=1, keepdim=True)
    padded = torch.nn.functional.pad(rise, (1, 1))
    # >= on one side only: of two equal steps one counts.
    peak = (rise >= padded[:, :-2]) & (rise > padded[:, 2:]) & (rise > level)
    return [(row.nonzero().flatten() + 0.5) / fps for row in peak]


def event_alignment(events: list[Tensor], others: list[Tensor]) -> float:
    """Mean over all events of ``exp(-d^2 / (2 * 0.05^2))``, d seconds to the nearest event of the other kind.

    Args:
        events, others: one tensor of times in seconds for each clip, such as expression onsets and motion onsets.
    Returns:
        [0, 1], higher is better; an event without any partner counts 0. NaN where there are no events. More
        partners match more by chance: hold it against the real clips and against shuffled pairs.
    Raises:
        UserError: lists of different lengths.
    """
    if len(events) != len(others):
        raise UserError(f"event_alignment: events of {len(events)} and {len(others)} clips")
    scores: list[Tensor] = []
    for own, other in zip(events, others, strict=True):
        if not len(other):
            scores.append(torch.zeros(len(own), dtype=torch.float64))
        elif len(own):
            nearest = (own.double()[:, None] - other.double()[None]).abs().amin(dim=1)
            scores.append(torch.exp(-0.5 * (nearest / EVENT_SECONDS) ** 2))
    pooled = torch.cat(scores) if scores else torch.zeros(0)
    return float(pooled.mean()) if len(pooled) else float("nan")


def coherence_gap(
    made_motion: Tensor,
    made_expression: Tensor,
    real_motion: Tensor,
    real_expression: Tensor,
    seed: int,
    draws: int = 999,
) -> CoherenceGap:
    """Correlation of body and face in made clips against the real clips of the same scripts and a shuffled null.

    Args:
        made_motion, made_expression: [B, T], from :func:`motion_energy` and :func:`expression_rate`.
        real_motion, real_expression: [N, T'], of real clips.
        seed, draws: of the deals of faces to bodies.
    Raises:
        UserError: too few frames, shapes disagree, or a curve that never changes.
    """
    _check("coherence_gap: made", made_motion, made_expression, lost=1)
    _check("coherence_gap: real", real_motion, real_expression, lost=1)
    if len(made_motion) < 2:
        raise UserError("coherence_gap: one clip cannot be shuffled, need 2 or more")
    made = _pooled_correlation(made_motion, made_expression)
    real = _pooled_correlation(real_motion, real_expression)
    rng = np.random.default_rng(seed)
    deals = [torch.from_numpy(rng.permutation(len(made_motion))) for _ in range(draws)]
    null = np.array([_pooled_correlation(made_motion, made_expression[deal]) for deal in deals])
    spread = float(null.std(ddof=1))
    return CoherenceGap(
        made=made,
        real=real,
        gap=abs(made - real),
        null_mean=float(null.mean()),
        null_spread=spread,
        z=(made - float(null.mean())) / spread if spread > 0 else float("nan"),
        p_value=float((1 + (null >= made - 1e-12).sum()) / (1 + draws)),
    )


def swapped_label_auc(commanded: Tensor, measured: Tensor) -> float:
    """Can a clip be matched to its own command?

    Every clip's reading is correlated with its own command and with the commands of all other clips; the result is
    the chance that a matched pair scores above a swapped one (ties count half). It says which command was followed
    and hardly when: a clip frozen in the right expression passes, so the command lag stands beside it.

    Args:
        commanded, measured: [B, T, E], at least two different commands, T >= 64, B * T >= 512.
    Returns:
        [0, 1]: 1 = always recognised, 0.5 = no control.
    Raises:
        UserError: too few frames or clips, or shapes disagree.
    """
    _check("swapped_label_auc", commanded, measured)
    # Centred over the whole pool: what all clips share (a resting face) tells none of them apart.
    wanted, read = (_unit_rows(x.double() - x.double().mean(dim=(0, 1))) for x in (commanded, measured))
    score = read @ wanted.T
    own = torch.eye(len(score), dtype=torch.bool)
    # A pair of clips with one and the same command is not a swap.
    same = (commanded[:, None] == commanded[None]).flatten(2).all(dim=-1)
    if not bool((~same).any()):
        raise UserError("swapped_label_auc: all clips have the same command, nothing can be swapped")
    gap = score[own][:, None] - score[~same][None]
    # Equal pairs differ by rounding.
    return float((gap > 1e-9).double().mean() + 0.5 * (gap.abs() <= 1e-9).double().mean())


def _check(who: str, a: Tensor, b: Tensor, lost: int = 0) -> None:
    if a.shape != b.shape or a.ndim < 2:
        raise UserError(f"{who}: {tuple(a.shape)} and {tuple(b.shape)}, expected equal shapes [B, T]")
    # Rates are one fewer than the frames they come from.
    clips, frames = a.shape[0], a.shape[1] + lost
    if frames < FEWEST_FRAMES or clips * frames < FEWEST_POOLED:
        raise UserError(
            f"{who}: {clips} clips of {frames} frames; coherence needs clips of {FEWEST_FRAMES} frames or more, "
            f"{FEWEST_POOLED} frames in all: shorter ones correlate by chance"
        )
    for curve in (a, b):
        if not bool(curve.isfinite().all()):
            bad = int((~curve.isfinite().flatten(1).all(dim=1)).nonzero()[0])
            raise UserError(f"{who}: a curve of clip {bad} is not finite; leave the clip out of both sides")


def _shifted(commanded: Tensor, measured: Tensor, lag: int) -> tuple[Tensor, Tensor]:
    """The overlapping parts when measured comes ``lag`` frames late."""
    frames = commanded.shape[1]
    return (
        commanded[:, max(0, -lag) : frames - max(0, lag)],
        measured[:, max(0, lag) : frames + min(0, lag)],
    )


def _pooled_correlation(a: Tensor, b: Tensor) -> float:
    """Correlation inside clips: means are taken from each clip, sums over all of them before dividing."""
    x, y = (v.double() - v.double().mean(dim=1, keepdim=True) for v in (a, b))
    energy = float(x.square().sum() * y.square().sum())
    if not energy > 0:
        raise UserError("coherence: a curve never changes (a frozen clip?), it correlates with nothing")
    return float((x * y).sum()) / energy**0.5


def _unit_rows(curves: Tensor) -> Tensor:
    """[B, T, E] -> [B, T * E] of length 1, or 0 where nothing differs from the pool but by rounding."""
    rows = curves.flatten(1)
    length = rows.norm(dim=1, keepdim=True)
    return torch.where(length > 1e-9, rows / length, 0.0)
