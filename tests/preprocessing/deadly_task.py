"""A task whose items say what becomes of the process that works on them."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from preprocessing.sign_of_life import still_at_work


@dataclass(frozen=True)
class DeadlyTask:
    folder: Path

    def tools(self) -> list[str]:
        return []

    def do(self, item: str, tools: list[str]) -> tuple[str, int, tuple[str, ...]]:
        with (self.folder / f"{item}.tried").open("a") as tried:
            tried.write("x")
        if item.startswith("dies"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if item.startswith("once") and (self.folder / f"{item}.tried").read_text() == "x":
            os.kill(os.getpid(), signal.SIGKILL)
        if item.startswith("hangs"):
            time.sleep(600)
        if item.startswith("slow"):
            for _ in range(60):
                time.sleep(0.1)
                still_at_work()
        if item.startswith("raises"):
            raise OSError(28, "No space left on device", item)
        tools.append(item)
        return item, os.getpid(), tuple(tools)
