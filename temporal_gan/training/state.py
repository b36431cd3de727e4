"""Everything a step changes, and so everything a checkpoint holds."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..run_config import OptimConfig
from .adaptive_view import AdaptiveView


@dataclass
class TrainState:
    """Networks and optimisers of a run after ``step`` steps.

    Attributes:
        ema: averaged copy of the generator; None for the plain DCGAN, which has none.
        view: how often the critics' view is changed; None where that is fixed.
        best: step and value of the best figure of validation so far; None before the first, or where none is named.
    """

    step: int
    generator: nn.Module
    critics: nn.ModuleDict
    ema: nn.Module | None
    optimizer_generator: torch.optim.Optimizer
    optimizer_critics: torch.optim.Optimizer | None
    view: AdaptiveView | None = None
    best: tuple[int, float] | None = None

    @property
    def best_generator(self) -> nn.Module:
        """The one to show and to export."""
        return self.generator if self.ema is None else self.ema

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain types."""
        return {
            "step": self.step,
            "best": self.best,
            **{name: part.state_dict() for name, part in self._parts().items()},
        }

    def load_state_dict(self, content: dict[str, Any]) -> None:
        """Inverse of :meth:`state_dict`."""
        self.step = int(content["step"])
        self.best = content["best"]
        for name, part in self._parts().items():
            part.load_state_dict(content[name])

    def _parts(self) -> dict[str, Any]:
        parts = {
            "generator": self.generator,
            "critics": self.critics,
            "ema": self.ema,
            "optimizer_generator": self.optimizer_generator,
            "optimizer_critics": self.optimizer_critics,
            "view": self.view,
        }
        return {name: part for name, part in parts.items() if part is not None}


def make_adam(
    module: nn.Module, lr: float, beta1: float, config: OptimConfig, batch: int
) -> torch.optim.Optimizer | None:
    """Adam for a module, None for one without parameters.

    The batch is the global one, so the rate is the same on 1 and on N processes. Where ``lr_batch`` says at which
    batch the rate was tuned, another batch scales it by the square root of their ratio (Malladi et al. 2022,
    arXiv 2205.10287, for Adam).
    """
    parameters = list(module.parameters())
    if not parameters:
        return None
    scale = 1.0 if config.lr_batch is None else (batch / config.lr_batch) ** 0.5
    return torch.optim.Adam(
        parameters, lr=lr * scale, betas=(beta1, config.beta2), fused=config.fused or None
    )


@torch.no_grad()
def update_ema(ema: nn.Module, module: nn.Module, step: int, halflife_steps: float) -> None:
    """Move the average towards the module: half of the distance in ``halflife_steps``, faster at the start (the
    half-life is at most a quarter of the steps taken, so that early previews are not the initial weights)."""
    decay = 0.5 ** (1 / max(min(halflife_steps, step / 4), 1e-3))
    for average, value in zip(ema.parameters(), module.parameters(), strict=True):
        average.lerp_(value, 1 - decay)
    for kept, buffer in zip(ema.buffers(), module.buffers(), strict=True):
        kept.copy_(buffer)


def update(
    optimizer: torch.optim.Optimizer, module: nn.Module, loss: torch.Tensor, config: OptimConfig, average: Any
) -> torch.Tensor:
    """Backward, ``average(parameters)`` over processes, clip, step. Returns the gradient norm before clipping.

    Parameters that the loss does not reach (a critic that sits a step out) are left alone, moments included.
    """
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    parameters = [p for p in module.parameters() if p.grad is not None]
    average(parameters)
    norm = nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
    optimizer.step()
    return norm
