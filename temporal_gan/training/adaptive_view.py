"""How often the critics are shown changed clips, driven by how sure they are of the real ones."""

import torch
from torch import Tensor, nn

from ..distributed import World, average_scalars
from ..losses.critic_view import CriticViewConfig

EVERY = 4
"""Updates of the critics from one adjustment to the next."""


class AdaptiveView(nn.Module):
    """Adaptive discriminator augmentation (Karras et al. 2020, arXiv 2006.06676, sec. 3.2).

    ``r_t = E[sign(D(real))]`` over the last four updates; p rises by a fixed amount while it is above the target, else
    falls by as much, and is kept in [0, 1]. (The paper lets p pass 1, where its longer pipeline still changes more.)
    Buffers alone, on the device: no step waits for them, and a checkpoint holds them.
    """

    probability: Tensor
    _signs: Tensor
    _verdicts: Tensor
    _updates: Tensor

    def __init__(self, config: CriticViewConfig, batch: int) -> None:
        """``batch``: real clips a step, over all processes."""
        super().__init__()
        assert config.adaptive_target is not None
        self._target, self._move = config.adaptive_target, EVERY * batch / config.adaptive_clips
        for name in ("probability", "_signs", "_verdicts", "_updates"):
            self.register_buffer(name, torch.zeros(()))

    @torch.no_grad()
    def hear(self, signs: Tensor, verdicts: Tensor, world: World) -> Tensor:
        """Count an update's verdicts on real clips, from this process and all others.

        Args:
            signs, verdicts: [], as from :func:`.losses.adversarial.sides`, summed over critics.
            world: all processes; every one must call.
        Returns:
            r_t of this update alone, [], for the log.
        """
        both = average_scalars({"signs": signs, "verdicts": verdicts}, world)
        signs, verdicts = (world.size * both[k].to(self._signs) for k in ("signs", "verdicts"))
        self._signs += signs
        self._verdicts += verdicts
        self._updates += 1
        due = self._updates >= EVERY
        surer = self._signs / self._verdicts.clamp_min(1) > self._target
        moved = (self.probability + torch.where(surer, self._move, -self._move)).clamp(0, 1)
        self.probability.copy_(torch.where(due, moved, self.probability))
        for sum_ in (self._signs, self._verdicts, self._updates):
            sum_.mul_(~due)
        return signs / verdicts.clamp_min(1)
