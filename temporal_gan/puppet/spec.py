"""What a puppet clip is to show, as data, and the specifications of a whole data set."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from ..errors import UserError
from ..expressions import CLASSES, expression_vector
from ..rng import mix_seed, numpy_generator
from .background import BACKGROUNDS, find_background
from .camera import CAMERAS, camera_track
from .cast import CHARACTERS, find_character
from .coupling import mood_pose
from .degradation import DEGRADATIONS, find_degradation
from .expression import AUTO, puppet_expression
from .lighting import LIGHTS, find_light
from .motion import MOTIONS

RANDOM = "random"
"""As lighting, background, camera or degradation: one of them, by the clip's seed."""


@dataclass(frozen=True)
class PuppetSpec:
    """Everything a puppet clip depends on.

    Attributes:
        character: one of cast.CHARACTERS, or ``sample:SEED``.
        motion: one of motion.MOTIONS.
        expression: ``auto:happy`` for a generated rise, hold and fall with blinks, or a specification of
            :func:`temporal_gan.expressions.expression_track` such as ``happy:0.8``.
        seed: phase, speed and amplitude of the motion, timing of a generated expression.
        frames: T, at least 1.
        size: width and height in pixels.
        fps: frames per second.
        coupling: [0, 1], how much the expression moves the body.
        lighting: one of lighting.LIGHTS, or random.
        background: one of background.BACKGROUNDS, or random (an opaque one).
        camera: moves of :func:`.camera.camera_track`, or random.
        hold: frames that each drawing is shown, 1 to 3; the camera moves on.
        degradation: one of degradation.DEGRADATIONS, none, or random. The ground truth does not know of it.
    """

    character: str
    motion: str
    expression: str
    seed: int
    frames: int = 32
    size: int = 128
    fps: float = 24.0
    coupling: float = 0.7
    lighting: str = "day"
    background: str = "transparent"
    camera: str = "still"
    hold: int = 1
    degradation: str = "none"

    def settled(self) -> "PuppetSpec":
        """The same clip with every ``random`` replaced by what it stands for."""
        choices = {
            "lighting": tuple(LIGHTS),
            "background": tuple(name for name, layers in BACKGROUNDS.items() if layers),
            "camera": CAMERAS,
            "degradation": ("none", *DEGRADATIONS),
        }
        drawn = {
            field: str(numpy_generator(self.seed, "puppet", "world", field).choice(names))
            for field, names in choices.items()
            if getattr(self, field) == RANDOM
        }
        return replace(self, **drawn) if drawn else self  # type: ignore[arg-type]

    def to_json(self) -> dict[str, object]:
        """Plain types."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict) -> "PuppetSpec":
        """Inverse of :meth:`to_json`. Raises UserError where a field is missing or unknown."""
        try:
            return PuppetSpec(**data)
        except TypeError as error:
            raise UserError(f"puppet specification {data}: {error}") from None


def random_specs(
    num_clips: int,
    seed: int,
    characters: Sequence[str] | None = None,
    motions: Sequence[str] | None = None,
    expressions: Sequence[str] | None = None,
    frames: int = 32,
    size: int = 128,
    fps: float = 24.0,
    coupling: float = 0.7,
    lighting: str = "day",
    background: str = "transparent",
    camera: str = "still",
    hold: int = 1,
    degradation: str = "none",
) -> list[PuppetSpec]:
    """The specifications of a data set; clip i is a function of (seed, i) and the lists alone.

    Characters, motions and expressions take turns (every combination once per round, in an order the seed
    shuffles), so that small data sets are balanced too.

    Args:
        num_clips: how many.
        seed: shuffles the order and seeds every clip.
        characters, motions: names; None for all. Also whatever else :class:`PuppetSpec` takes.
        expressions: class names (``happy`` means ``auto:happy``), or specifications with ":" or ">" such as
            ``happy:0.8``, which are followed to the letter; None for all classes.
        frames, size, fps, coupling, lighting, background, camera, hold, degradation: as in :class:`PuppetSpec`.
    Raises:
        UserError: an unknown name (the message lists the valid ones), or a number out of range.
    """
    who = _known("characters", characters, tuple(CHARACTERS), find_character)
    what = _known("motions", motions, tuple(MOTIONS), _try_motion)
    how = [_clip_expression(name) for name in (CLASSES if expressions is None else expressions)]
    if not how:
        raise UserError(f"puppet expressions: none given; choose among: {', '.join(CLASSES)}")
    for name in how:
        puppet_expression(name, 1, 24.0, 0)
    combinations = [(c, m, e) for c in who for m in what for e in how]
    common = PuppetSpec(
        *combinations[0], 0, frames, size, fps, coupling, lighting, background, camera, hold, degradation
    )
    check_spec(common)
    specs: list[PuppetSpec] = []
    for index in range(num_clips):
        turn, place = divmod(index, len(combinations))
        if place == 0:
            order = numpy_generator(seed, "puppet", "order", turn).permutation(len(combinations))
        own_seed = mix_seed(seed, "puppet", "clip", index) % 2**31
        character, motion, expression = combinations[int(order[place])]
        spec = replace(common, character=character, motion=motion, expression=expression, seed=own_seed)
        specs.append(spec.settled())
    return specs


def check_spec(spec: PuppetSpec) -> None:
    """Raises UserError where a number or a name of the world is wrong."""
    spec = spec.settled()
    check_numbers(spec.frames, spec.size, spec.fps, spec.coupling)
    if spec.hold not in (1, 2, 3):
        raise UserError(f"puppet clip: hold is {spec.hold}, must be 1, 2 or 3 frames a drawing")
    find_light(spec.lighting)
    camera_track(spec.camera, 1, spec.fps, 0)
    find_background(spec.background)
    find_degradation(spec.degradation)


def check_numbers(frames: int, size: int, fps: float, coupling: float) -> None:
    """Raises UserError where one is out of range."""
    if frames < 1:
        raise UserError(f"puppet clip: frames is {frames}, must be at least 1")
    if not 16 <= size <= 1024:
        raise UserError(f"puppet clip: size is {size}, must be from 16 to 1024 pixels")
    if not 0.1 <= fps <= 240:
        raise UserError(f"puppet clip: fps is {fps}, must be from 0.1 to 240 frames per second")
    if not 0.0 <= coupling <= 1.0:
        raise UserError(f"puppet clip: coupling is {coupling}, must be in [0, 1]")


def _try_motion(name: str) -> object:
    return mood_pose(name, np.zeros(1), expression_vector({})[None], 0.0, 0)


def _clip_expression(name: str) -> str:
    return name if ":" in name or ">" in name or name.endswith(".csv") else AUTO + name


def _known(
    what: str, names: Sequence[str] | None, valid: tuple[str, ...], find: Callable[[str], object]
) -> tuple[str, ...]:
    if names is None:
        return valid
    # A name with parameters, such as walk@speed=1.2 or sample:7, is for its own reader to judge.
    unknown = [name for name in names if name not in valid and not set(name) & set(":@>")]
    if unknown or not names:
        raise UserError(f"puppet {what} {unknown} are not among: {', '.join(valid)}")
    for name in names:
        find(name)
    return tuple(names)
