"""The first look at each source, in a process of its own: its shots, their fingerprints, and what is wrong with it."""

import json
from dataclasses import dataclass
from pathlib import Path

import av

from temporal_gan.errors import UserError

from .clip import Source
from .config import PreprocessConfig
from .cuts import Cut
from .shot import Shot
from .shots import scan
from .work_folder import WorkFolder, key_of

SCANS = "scans"
"""Kind of piece: ``scan.json`` with the shots of a source."""


@dataclass(frozen=True)
class ScanDone:
    """A source's shots, or why there are none: one line."""

    source: Source
    shots: tuple[Shot, ...]
    failure: str = ""


@dataclass(frozen=True)
class ScanItem:
    """A source, and the cuts a person wants; None = cut where the pictures change."""

    source: Source
    cuts: tuple[Cut, ...] | None = None


@dataclass(frozen=True)
class ScanTask:
    """Finds the shots of a source (:class:`~preprocessing.lanes.Task`)."""

    config: PreprocessConfig
    work: WorkFolder

    def tools(self) -> None:
        return None

    def key(self, item: ScanItem) -> str:
        """Of the piece that holds this source's shots."""
        config = self.config
        settings = [
            section.model_dump(mode="json") for section in (config.ingest, config.shots, config.dedupe)
        ]
        cuts = None if item.cuts is None else [(cut.second, cut.keep) for cut in item.cuts]
        return key_of(av.__version__, item.source.sha256, cuts, settings)

    def do(self, item: ScanItem, tools: None) -> ScanDone:
        """Scan a source and keep what was found; a source that cannot be read is looked at again next time."""
        config = self.config
        try:
            cuts = None if item.cuts is None else list(item.cuts)
            shots = scan(item.source, config.ingest, config.shots, config.dedupe, cuts)
        except UserError as error:
            return ScanDone(item.source, (), str(error))
        except Exception as error:
            return ScanDone(item.source, (), self.work.note_fault(item.source.sha256[:16], error))
        with self.work.making(SCANS, self.key(item)) as room:
            text = json.dumps([shot.to_dict() for shot in shots])
            (room / "scan.json").write_text(text, encoding="utf-8")
        return ScanDone(item.source, tuple(shots))


def read_scan(place: Path, source: Source) -> ScanDone | None:
    """A finished scan; None where it is damaged."""
    try:
        values = json.loads((place / "scan.json").read_text(encoding="utf-8"))
        return ScanDone(source, tuple(Shot.from_dict(value) for value in values))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
