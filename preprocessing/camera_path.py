"""The calmest way through a corridor: at rest as long as it can be, then as slowly as it can be."""

import numpy as np


def calmest_path(time: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The taut string in a tube (Davies & Kovac 2001, "Local extremes, runs, strings and multiresolution"), its ends
    free: of all paths within the corridor the shortest, and so the one of the least greatest speed.

    Args:
        time: float [N], growing.
        low, high: float [N], low <= high.
    Returns:
        float64 [N]; one value throughout, the middle of what they have in common, where the corridor allows it.
    """
    low, high = low.astype(np.float64), high.astype(np.float64)
    if low.max() <= high.min():
        return np.full(len(time), (low.max() + high.min()) / 2)
    start, last = _rest(low, high), len(time) - 1 - _rest(low[::-1], high[::-1])
    path = np.empty(len(time))
    path[: start + 1] = _resting_place(low[: start + 1], high[: start + 1], low[start:], high[start:])
    path[last:] = _resting_place(
        low[last:][::-1], high[last:][::-1], low[: last + 1][::-1], high[: last + 1][::-1]
    )
    low[last] = high[last] = path[last]
    at = start
    while at < last:
        least, most = -np.inf, np.inf
        below = above = at
        for i in range(at + 1, last + 1):
            span = time[i] - time[at]
            up, down = (high[i] - path[at]) / span, (low[i] - path[at]) / span
            if down > most or up < least:
                break
            if up <= most:
                most, above = up, i
            if down >= least:
                least, below = down, i
        else:
            path[at : last + 1] = np.interp(time[at : last + 1], time[[at, last]], path[[at, last]])
            return path
        bend, value = (above, high[above]) if down > most else (below, low[below])
        path[at : bend + 1] = np.interp(time[at : bend + 1], time[[at, bend]], [path[at], value])
        at = bend
    return path


def _rest(low: np.ndarray, high: np.ndarray) -> int:
    """Where a path that rests from the beginning has to leave: the wall it then stands at, the last time it does."""
    floor, ceiling = np.maximum.accumulate(low), np.minimum.accumulate(high)
    end = int(np.argmax(floor > ceiling))
    wall, edge = (high, ceiling) if low[end] > ceiling[end - 1] else (low, floor)
    return int(np.flatnonzero(wall[:end] == edge[end - 1])[-1])


def _resting_place(low: np.ndarray, high: np.ndarray, low_on: np.ndarray, high_on: np.ndarray) -> float:
    """At the wall towards which the path leaves."""
    rises = low_on[np.argmax(np.maximum.accumulate(low_on) > np.minimum.accumulate(high_on))] > high.min()
    return float(high.min() if rises else low.max())
