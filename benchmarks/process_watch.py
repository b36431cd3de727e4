"""What a command and every process below it hold in memory and take of the processor, from ``/proc`` (Linux)."""

import os
import subprocess
import time
from pathlib import Path

PARTS = 5


def watch(command: list[str], every_sec: float = 0.5) -> dict[str, object]:
    """Run a command and look at all of its processes twice a second.

    Returns:
        ``seconds`` of the run; ``total_mib``, the largest sum over processes in each fifth of it;
        ``total_shared_once_mib``, the same with pages that several processes share counted once; and ``processes``: of
        each that lived for more than a few looks, its name, its processor time when it was last seen, and the largest
        resident set in each fifth, MiB; None where it did not live.
    """
    looks: list[tuple[float, dict[int, float], float]] = []
    names: dict[int, str] = {}
    worked: dict[int, float] = {}
    began = time.monotonic()
    root = subprocess.Popen(command)
    while root.poll() is None:
        sizes, proportional = {}, 0.0
        for process in _family(root.pid):
            size = _kib(process, "status", "VmRSS")
            if size:
                sizes[process] = size / 1024
                proportional += _kib(process, "smaps_rollup", "Pss") / 1024
                names.setdefault(process, _name(process, root.pid))
                worked[process] = max(_processor_sec(process), worked.get(process, 0.0))
        looks.append((time.monotonic() - began, sizes, proportional))
        time.sleep(every_sec)
    if root.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {root.returncode}")
    seconds = time.monotonic() - began
    parts = [[look for look in looks if int(PARTS * look[0] / seconds) == part] for part in range(PARTS)]
    return {
        "seconds": seconds,
        "total_mib": [max((sum(look[1].values()) for look in part), default=None) for part in parts],
        "total_shared_once_mib": [max((look[2] for look in part), default=None) for part in parts],
        "processes": [
            {
                "name": name,
                "processor_sec": worked[process],
                "largest_mib": [
                    max((look[1][process] for look in part if process in look[1]), default=None)
                    for part in parts
                ],
            }
            for process, name in names.items()
            if sum(process in look[1] for look in looks) > 3
        ],
    }


def _family(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
    found, fresh = [root], [root]
    while fresh:
        fresh = [child for child, parent in parents.items() if parent in fresh]
        found += fresh
    return found


def _processor_sec(process: int) -> float:
    """0 where the process has just ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _kib(process: int, file: str, key: str) -> float:
    """0 where the process has just ended."""
    try:
        lines = Path(f"/proc/{process}/{file}").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{key}:")), 0.0)


def _name(process: int, root: int) -> str:
    if process == root:
        return "command"
    try:
        words = Path(f"/proc/{process}/cmdline").read_text()
        parent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        return "ended"
    if "resource_tracker" in words:
        return "resource tracker"
    return "forkserver" if int(parent) == root else "lane"
