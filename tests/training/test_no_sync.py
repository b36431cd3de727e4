"""A step never makes the host wait for the device: run on shapes without values, which nobody can read."""

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import CLIP_GAN, DCGAN, changed, config, every_switch
from tiny_networks import random_batch, tiny_domain
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from temporal_gan.distributed import World
from temporal_gan.training.dcgan_step import build_dcgan_state, take_dcgan_step
from temporal_gan.training.guides import load_guides
from temporal_gan.training.step import build_state, take_step

META, FRAMES = torch.device("meta"), 4
DOMAIN = tiny_domain(channels=4)


class CopiesThatWait(TorchDispatchMode):
    """Notes every copy from the host to the device that does not say ``non_blocking``. To read a value off the device
    is an error by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(
        self, op: Any, types: Any, arguments: tuple = (), options: dict | None = None
    ) -> Any:
        options = options or {}
        result = op(*arguments, **options)
        given, made = ([t for t in tree_leaves(x) if isinstance(t, Tensor)] for x in (arguments, result))
        waits = not options.get("non_blocking") and not (len(arguments) > 2 and arguments[2] is True)
        # Scalars of the host (Adam's counter) are passed by value.
        if waits and any(t.is_meta for t in made) and any(t.ndim and not t.is_meta for t in given):
            self.found.append(str(op))
        return result


class ConstantsOnTheDevice(TorchFunctionMode):
    """Notes tensors made from Python numbers on the device, and lists of places: both are made on the host, and copied
    with a wait."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_function__(
        self, function: Any, types: Any, arguments: tuple = (), options: dict | None = None
    ) -> Any:
        result = function(*arguments, **(options or {}))
        places = arguments[1] if function is Tensor.__getitem__ else ()
        listed = any(isinstance(p, list | tuple) for p in (places if isinstance(places, tuple) else [places]))
        if listed and arguments[0].is_meta:
            self.found.append(f"[{places}]")
        if function in (torch.tensor, torch.as_tensor, Tensor.new_tensor) and result.is_meta:
            self.found.append(f"{function.__name__}({arguments[-1]})")
        return result


def waits_of(work: Any) -> list[str]:
    copies, constants = CopiesThatWait(), ConstantsOnTheDevice()
    modes: list[AbstractContextManager] = [copies, constants]
    with modes[0], modes[1]:
        work()
    return copies.found + constants.found


SWITCHES: dict[str, dict[str, Any]] = {
    "references": {"model__references": 2, "losses__r1_every_steps": 1},
    "layered": {"model__references": 2, "model__layered_warp": True, "model__mirrored_references": True},
    "encode": {"model__references": 2, "model__carry": "encode", "model__face_width": 4},
    "offset": {"model__references": 2, "model__warp_offset": 0.1},
    "regions": {"critics__region__weight": 1.0, "critics__frame__expression_weight": 0.1},
    "attention": {
        "model__references": 2,
        "model__temporal": "attention",
        "model__flow_head": True,
        "model__identity": "references",
    },
    "face": {
        "model__references": 2,
        "model__face_width": 4,
        "model__face_side": 16,
        "model__finish_width": 4,
    },
}


@pytest.mark.parametrize("name", [*SWITCHES, "every switch"])
def test_a_step_of_the_clip_gan_waits_for_nothing(name: str, tmp_path: Path) -> None:
    values = every_switch(tmp_path) if name == "every switch" else changed(CLIP_GAN, **SWITCHES[name])
    cfg = config(
        values, data__curriculum=[], data__frames=FRAMES, optim__generator_every_steps=1, optim__fused=False
    )
    batch = random_batch(DOMAIN, 2, FRAMES, references=cfg.model.references)
    flow = torch.zeros(2, FRAMES - 1, 2, 32, 32)
    batch = replace(batch, flow=flow, flow_valid=torch.ones_like(flow[:, :, :1]).bool()).to(META)
    state, guides = build_state(cfg, DOMAIN, FRAMES, META), load_guides(cfg, DOMAIN, META)
    assert waits_of(lambda: take_step(state, batch, cfg, World(), guides)) == []


def test_a_step_of_the_dcgan_waits_for_nothing() -> None:
    cfg = config(DCGAN)
    state = build_dcgan_state(cfg, 0, META)
    batch = torch.empty(4, 3, 64, 64, device=META), torch.empty(4, dtype=torch.int64, device=META)
    assert waits_of(lambda: take_dcgan_step(state, batch, cfg, World())) == []


def test_what_waits_is_found() -> None:
    there = torch.ones(3, device=META)
    assert waits_of(lambda: torch.ones(3).to(META)) == ["aten._to_copy.default"]
    assert waits_of(lambda: torch.ones(3).to(META, non_blocking=True)) == []
    assert waits_of(lambda: there.new_tensor([1.0])) == ["new_tensor([1.0])"]
    assert waits_of(lambda: there[[0, 2]]) == ["[[0, 2]]"]
    with pytest.raises(RuntimeError, match="meta"):
        waits_of(lambda: float(there.sum()))
