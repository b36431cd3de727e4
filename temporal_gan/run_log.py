"""What a run writes about itself: ``stats.jsonl`` and TensorBoard events."""

import json
import time
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter


class RunLog:
    """Scalars by step, as a JSON line each and as TensorBoard events.

    Opened again at step n it drops every line after step n, so that a resumed run's log reads as if unbroken.
    """

    def __init__(self, folder: Path, start_step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "stats.jsonl"
        kept = [line for line in read_stats(self.path) if line["step"] <= start_step]
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        temporary.replace(self.path)
        self._file = self.path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=start_step + 1)
        self._started = time.monotonic()

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Write one line; keys are like ``loss/l1``."""
        line = {"step": step, "time_sec": round(time.monotonic() - self._started, 3), **values}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def picture(self, step: int, name: str, image: torch.Tensor) -> None:
        """Show a picture [3, H, W] in [0, 1] in TensorBoard."""
        self._board.add_image(name, image, step)

    def close(self) -> None:
        """Flush and close both."""
        self._file.close()
        self._board.close()


def read_stats(path: Path) -> list[dict[str, float]]:
    """The lines of a ``stats.jsonl``; a last line cut short by a kill is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return lines
