"""Which labels belong to which source, and whether they fit it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from temporal_gan.errors import UserError

from .label_track import LabelTrack
from .labels import check_fit, find_labels, read_labels, unused_labels
from .outcome import Outcome
from .scan_task import ScanDone


@dataclass(frozen=True)
class SourceLabels:
    """Labels of one source.

    Attributes:
        file: or folder.
        size: width and height of the source in pixels.
        sha256: of the labels' bytes.
    """

    file: Path
    size: tuple[int, int]
    sha256: str

    def read(self) -> LabelTrack:
        """The labels. Raises UserError: file, and line or element."""
        return read_labels(self.file, self.size)


def source_labels(
    folder: Path | None, scans: Sequence[ScanDone]
) -> tuple[dict[str, SourceLabels], list[Outcome]]:
    """Find and check the labels of every source.

    Args:
        folder: that mirrors the sources' names; None = there are no labels.
        scans: of the sources.
    Returns:
        source name -> labels; and an outcome for each source whose labels are wrong, which is then left alone: a clip
        with half of its corrections would look like one that has them all; and for labels that belong to no source.
    """
    if folder is None:
        return {}, []
    found: dict[str, SourceLabels] = {}
    outcomes = [
        Outcome(file.relative_to(folder).as_posix(), "", "left out", "labels of none of the sources")
        for file in unused_labels(folder, [scan.source.name for scan in scans])
    ]
    for scan in scans:
        name = scan.source.name
        try:
            file = find_labels(folder, name)
            if file is None:
                continue
            last = scan.shots[-1]
            labels = SourceLabels(file, (last.source_width, last.source_height), _sha256(file))
            check_fit(labels.read(), last.end_frame, labels.size, str(file))
            found[name] = labels
        except UserError as error:
            outcomes.append(Outcome(name, "", "failed", str(error).replace(f"{folder}/", "")))
    return found, outcomes


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(f"{file.name}\n".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
