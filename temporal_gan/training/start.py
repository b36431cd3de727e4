"""The weights a fresh run starts from: an animator's, shipped with the package or trained before."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..data.manifest import StoreInfo
from ..errors import UserError
from ..inference.weights_file import animator_sha256, find_animator, load_generator
from ..models.conditioning import Domain
from ..models.generator import Generator, GeneratorConfig


@dataclass(frozen=True)
class Start:
    """An animator to start from.

    Attributes:
        path: its file.
        sha256: of the file, by which a run that goes on knows it again.
        generator: its network, float32 on the CPU.
    """

    path: Path
    sha256: str
    generator: Generator


def load_start(source: Path | str) -> Start:
    """Read the animator that ``--start`` names: ``base``, a file, or a run folder.

    Raises:
        CheckpointError: there is none, it is damaged, or not a clip generator.
    """
    return Start(find_animator(source), animator_sha256(source), load_generator(source)[0])


def known_expressions(info: StoreInfo, labelled: bool, start: Start | None) -> tuple[str, ...]:
    """The expressions a run's networks know.

    Args:
        info: of the store.
        labelled: whether any of its frames carries an expression.
        start: what the run starts from. Where it knows the store's expressions, they stay, although no frame is
            labelled: every frame then says that it is not.
    """
    kept = start is not None and start.generator.domain.expressions == info.expressions
    return info.expressions if labelled or kept else ()


@torch.no_grad()
def begin_from(start: Start, networks: list[Generator]) -> None:
    """Fill a run's generator and its average with the weights of the animator it starts from.

    A temporal module that the animator does not have begins as the identity: both make the same frames at first.

    Args:
        start: the animator; any skeleton, any characters, any size, as long as every parameter has the same shape.
        networks: generators of one configuration and domain.
    Raises:
        UserError: channels, expressions or the architecture differ; the key is named.
    """
    reason = why_not_from(
        start.generator.config, start.generator.domain, networks[0].config, networks[0].domain
    )
    if reason:
        raise UserError(
            f"--start {start.path}: {reason}; make that the same, or start from another animator, or from none"
        )
    weights = start.generator.state_dict()
    for network in networks:
        own = {name: value for name, value in network.state_dict().items() if name.startswith(ADDED)}
        network.load_state_dict(own | weights)


ADDED = "temporal."
"""Parameters that may be new, since they change nothing before they have learned (temporal_gan/models/temporal.py)."""


def why_not_from(settings: GeneratorConfig, theirs: Domain, config: GeneratorConfig, domain: Domain) -> str:
    """Why a network cannot start from the weights of another; "" where it can.

    Args:
        settings, theirs: of the weights that there are.
        config, domain: of the network that would be filled with them.
    """
    if theirs.channels != domain.channels:
        return f"was trained on {_colour(theirs.channels)} clips, the store's are {_colour(domain.channels)}"
    if theirs.expressions != domain.expressions:
        return f"knows the expressions {_listed(theirs.expressions)}, this run {_listed(domain.expressions)}"
    wanted, given = _shapes(config, domain), _shapes(settings, theirs)
    differing = [name for name in wanted | given if wanted.get(name) != given.get(name)]
    lost = [name for name in differing if name in given or not name.startswith(ADDED)]
    if not lost:
        return ""
    other = settings.model_dump()
    keys = [
        f"model.{key} is {other[key]} there and {value} here"
        for key, value in config.model_dump().items()
        if other[key] != value and _matters(key, other[key], config, domain, wanted, lost)
    ]
    if keys:
        return f"has another architecture: {', '.join(keys)}"
    return (
        f"{lost[0]} is {given.get(lost[0])} there and {wanted.get(lost[0])} here: it is tied to the skeleton "
        "(model.joint_maps) or to the characters (model.identity: embedding) it was trained on"
    )


def _matters(
    key: str,
    value: Any,
    config: GeneratorConfig,
    domain: Domain,
    shapes: dict[str, tuple[int, ...]],
    lost: list[str],
) -> bool:
    """Whether changing a key changes shapes of the parameters that are in the way."""
    changed = _shapes(config.model_copy(update={key: value}), domain)
    differing = {name for name in changed | shapes if changed.get(name) != shapes.get(name)}
    return any(name in lost or not name.startswith(ADDED) for name in differing)


def _shapes(config: GeneratorConfig, domain: Domain) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {name: tuple(t.shape) for name, t in Generator(config, domain).state_dict().items()}


def _colour(channels: int) -> str:
    return "RGBA" if channels == 4 else "RGB"


def _listed(expressions: tuple[str, ...]) -> str:
    return ", ".join(expressions) or "none"
