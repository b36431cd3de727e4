"""Does the character stay itself, and does one command leave alone what the other one controls?"""

from torch import Tensor
from torch.nn import functional

from ..errors import UserError
from .pose_distribution import diversity


def identity_consistency(made: Tensor, reference: Tensor) -> Tensor:
    """Mean cosine between each made frame and the mean of the character's reference frames.

    Args:
        made: [B, T, D], features that tell characters apart.
        reference: [B, R, D], of real frames of the same character, none of them from the scored clip.
    Returns:
        [B] float64 in [-1, 1]; higher is better. The same character in other real clips is the ceiling.
    Raises:
        UserError: shapes disagree.
    """
    if made.ndim != 3 or reference.ndim != 3 or made.shape[::2] != reference.shape[::2]:
        raise UserError(
            f"identity_consistency: made {tuple(made.shape)}, reference {tuple(reference.shape)}; "
            "expected [B, T, D] and [B, R, D]"
        )
    centre = functional.normalize(reference.double(), dim=-1).mean(dim=1, keepdim=True)
    return functional.cosine_similarity(made.double(), centre, dim=-1).mean(dim=1)


def subject_consistency(made: Tensor) -> Tensor:
    """VBench's subject consistency (Huang et al. 2024): each frame against the previous and the first one.

    Needs no reference, so a frozen clip scores 1: never shown without the motion ratio.

    Args:
        made: [B, T, D], T >= 2.
    Returns:
        [B] float64 in [0, 1]; higher is better.
    Raises:
        UserError: fewer than two frames.
    """
    if made.ndim != 3 or made.shape[1] < 2:
        raise UserError(
            f"subject_consistency: features are {tuple(made.shape)}, expected [B, T, D] with T >= 2"
        )
    unit = functional.normalize(made.double(), dim=-1)
    previous = (unit[:, 1:] * unit[:, :-1]).sum(dim=-1).clamp_min(0)
    first = (unit[:, 1:] * unit[:, :1]).sum(dim=-1).clamp_min(0)
    return ((previous + first) / 2).mean(dim=1)


def edit_leakage(before: Tensor, after: Tensor, real: Tensor) -> Tensor:
    """How far an edit moves what it should leave alone, against how much that differs between real frames.

    For an expression-only edit pass readings of pose or identity; for a pose-only edit, readings of the expression.

    Args:
        before, after: [N, D], readings of the same frames made with two commands that differ in one thing.
        real: [M, D], the same readings of real frames of different poses, characters or expressions, M >= 2.
    Returns:
        [N] float64: 0 = untouched, 1 = moved as far as two random real frames lie apart. Lower is better; real
        edits (the same frame rendered twice) are the floor.
    Raises:
        UserError: shapes disagree, or the real readings are all the same.
    """
    if before.shape != after.shape or before.ndim != 2 or real.ndim != 2 or real.shape[1] != before.shape[1]:
        raise UserError(
            f"edit_leakage: before {tuple(before.shape)}, after {tuple(after.shape)}, real {tuple(real.shape)}; "
            "expected [N, D] twice and [M, D]"
        )
    spread = diversity(real) if len(real) >= 2 else 0.0
    if not spread > 0:
        raise UserError(
            f"edit_leakage: the {len(real)} real readings do not differ, there is nothing to compare with"
        )
    return (after.double() - before.double()).norm(dim=-1) / spread
