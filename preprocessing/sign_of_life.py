"""How a process tells that it is not hanging, where nobody knows beforehand how long its work takes."""

from ctypes import c_double
from time import monotonic

_sign: c_double | None = None


def tell_by(sign: c_double | None) -> None:
    """From now on this process tells by ``sign``, a number that another process sees too; None: it tells nobody."""
    global _sign
    _sign = sign


def still_at_work() -> None:
    """Tell so; cheap enough for every frame. Without a listener, nothing."""
    if _sign is not None:
        _sign.value = monotonic()
