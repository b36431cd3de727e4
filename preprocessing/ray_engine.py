"""The same work on a Ray cluster: :func:`do_all` as :func:`preprocessing.lanes.do_all` does it.

Every actor keeps a lane, so what a hostile file kills is a process of that lane and never the actor. The inputs and the
work folder must lie where every machine of the cluster finds them under the same name.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from temporal_gan.errors import UserError

from .lanes import Died, Item, Lane, Result, Task, do_run


def do_all(
    task: Task[Item, Result], runs: Sequence[Sequence[Item]], workers: int, most_seconds: float
) -> Iterator[Result | Died[Item]]:
    """Do every item of every run on Ray Data, one actor a worker.

    Connects to the cluster that ``RAY_ADDRESS`` names, else starts Ray on this machine.

    Args, returns: as :func:`preprocessing.lanes.do_all`; a run comes when all of it is done.
    Raises:
        UserError: Ray is not installed, or its cluster does not answer.
    """
    if not runs:
        return
    ray = _start(workers)
    boxes = [{"run": _Box(tuple(run))} for run in runs]
    # A block a run, and no repartition: actors that hold every core would wait for it for ever.
    data = ray.data.from_items(boxes, override_num_blocks=len(boxes))
    done = data.map_batches(
        _Actor,
        fn_constructor_args=(task, most_seconds),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(runs))),
        num_cpus=0.5,
    )
    for row in done.iter_rows():
        yield from row["run"].items


class _Box:
    """What Ray must carry as it is: it would make a column of every field of a plain object."""

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items


class _Actor:
    """A lane on some machine of the cluster."""

    def __init__(self, task: Task[Any, Any], most_seconds: float) -> None:
        self._lane = Lane(task)
        self._most_seconds = most_seconds

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[_Box]]:
        (box,) = batch["run"]
        return {"run": [_Box(tuple(do_run(self._lane, box.items, self._most_seconds)))]}


def _start(workers: int) -> Any:
    # Both must be set before the import: Ray reports its use to its makers unless told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise UserError(
            "--engine ray: Ray is not installed; pip install 'temporal_gan[scale]', or use local"
        ) from None
    if not ray.is_initialized():
        try:
            if "RAY_ADDRESS" in os.environ:
                ray.init(log_to_driver=False)
            else:
                ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
        except ConnectionError as error:
            raise UserError(f"--engine ray: {os.environ.get('RAY_ADDRESS', 'Ray')}: {error}") from None
    ray.data.DataContext.get_current().enable_progress_bars = False
    return ray
