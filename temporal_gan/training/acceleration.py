"""Other ways to compute the same step: weights laid out channels last, and compiled networks."""

import torch
from torch import nn

from ..errors import UserError
from ..run_config import TrainConfig
from .state import TrainState


def accelerate(state: TrainState, train: TrainConfig, device: torch.device) -> None:
    """Lay out and compile a fresh state's networks in place, as the configuration says.

    The averaged generator is laid out too but not compiled: it draws previews, of other lengths. What is
    differentiated twice (R1, the gradient penalty) goes by ``module.forward``, which stays as it was:
    ``torch.compile`` cannot do it.

    Args:
        state: before its first step.
        train: ``channels_last`` and ``compile`` are looked at.
        device: where the networks are.
    Raises:
        UserError: there is nothing to compile with on this machine.
    """
    critics = list(state.critics.values())
    if train.channels_last:
        for network in (state.generator, *critics, state.ema):
            if network is not None:
                lay_out_channels_last(network)
    if train.compile:
        _check_compiler(device)
        for network in (state.generator, *critics):
            network.compile()


def lay_out_channels_last(network: nn.Module) -> None:
    """Every 4-D weight as [out, height, width, in] in memory; shapes and values stay. Convolutions hand the layout on
    to what they compute. Weights of 3-D convolutions are left alone."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def _check_compiler(device: torch.device) -> None:
    trial = nn.Linear(2, 2).to(device)
    trial.compile()
    try:
        trial(torch.ones(1, 2, device=device)).sum().backward()
    # Whatever a compiler that is missing, broken or too old makes of it.
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        needs = "a C++ compiler (g++)" if device.type == "cpu" else "Triton and a C compiler"
        raise UserError(
            f"train.compile: torch.compile does not work on {device.type} here ({reason}); it needs {needs}; or set "
            "train.compile=false"
        ) from None
