"""The weights a fresh run starts from: an animator's, shipped with the package or trained before."""

from dataclasses import dataclass
from pathlib import Path

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

    Args:
        start: the animator; any skeleton, any characters, any size, as long as every parameter has the same shape.
        networks: generators of one configuration and domain.
    Raises:
        UserError: channels, expressions or the architecture differ; the key is named.
    """
    _check(start, networks[0].config, networks[0].domain)
    for network in networks:
        network.load_state_dict(start.generator.state_dict())


def _check(start: Start, config: GeneratorConfig, domain: Domain) -> None:
    theirs, settings = start.generator.domain, start.generator.config
    if theirs.channels != domain.channels:
        raise UserError(
            f"--start {start.path}: was trained on {_colour(theirs.channels)} clips, the store's are "
            f"{_colour(domain.channels)}; start from another animator, or from none"
        )
    if theirs.expressions != domain.expressions:
        raise UserError(
            f"--start {start.path}: knows the expressions {_listed(theirs.expressions)}, this run "
            f"{_listed(domain.expressions)}; start from another animator, or from none"
        )
    wanted, given = _shapes(config, domain), _shapes(settings, theirs)
    if wanted == given:
        return
    other = settings.model_dump()
    for key, value in config.model_dump().items():
        if other[key] != value and _shapes(config.model_copy(update={key: other[key]}), domain) != wanted:
            raise UserError(
                f"--start {start.path}: has another architecture: model.{key} is {other[key]} there and "
                f"{value} here; give model.{key}={other[key]}, or another --start"
            )
    name = next(n for n in (wanted | given) if wanted.get(n) != given.get(n))
    raise UserError(
        f"--start {start.path}: {name} is {given.get(name)} there and {wanted.get(name)} here: it is tied to the "
        "skeleton (model.joint_maps) or to the characters (model.identity: embedding) it was trained on"
    )


def _shapes(config: GeneratorConfig, domain: Domain) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {name: tuple(t.shape) for name, t in Generator(config, domain).state_dict().items()}


def _colour(channels: int) -> str:
    return "RGBA" if channels == 4 else "RGB"


def _listed(expressions: tuple[str, ...]) -> str:
    return ", ".join(expressions) or "none"
