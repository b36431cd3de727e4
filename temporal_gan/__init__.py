"""Conditional temporal video GAN: pose sequences and expressions to short anime character clips."""

from .inference.animator import Animator, load_animator

__all__ = ["Animator", "load_animator"]
