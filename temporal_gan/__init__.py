"""Conditional temporal video GAN: pose sequences and expressions to short anime character clips."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .inference.animator import Animator, load_animator

__all__ = ["Animator", "load_animator"]


def __getattr__(name: str) -> object:
    # The animator imports the networks and much else, which whoever reads or makes clips need not wait for.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .inference import animator

    return getattr(animator, name)
