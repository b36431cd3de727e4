"""The way of one clip through the stages, in a process of its own; what is finished is found again, not made again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import av
import cv2
import numpy as np

from temporal_gan.config import Section
from temporal_gan.data.manifest import sha256_of
from temporal_gan.data.store_writer import write_clip_files
from temporal_gan.errors import StoreError, UserError
from temporal_gan.models.reader_file import find_reader

from .clip import Clip, Pose, Source
from .config import PreprocessConfig
from .crop import crop_clip
from .detection import FaceBackend, PoseBackend
from .expression import ExpressionTools, open_expression_tools, read_expression
from .face.finding import find_face, open_face_finder
from .flow import FlowNetwork, measure_flow, open_flow_network
from .holds import mark_holds
from .ingest import ShotReader
from .label_track import LabelTrack
from .labels import NOT_LABELLED, apply_labels
from .pose.backends import open_face_backend, open_pose_backend
from .pose.finding import find_pose
from .shot import Shot
from .smooth import smooth_pose
from .source_labels import SourceLabels
from .work_folder import WorkFolder, key_of, load_labels, save_labels

CLIPS = "clips"
"""Kind of piece: ``video/clip.mkv``, ``truth/clip.npz`` and ``labels.npz`` of a clip that is done."""

Stage = Callable[[Clip], Clip]


@dataclass(frozen=True)
class ClipItem:
    """One shot to be worked on.

    Attributes:
        id: of the clip.
        source, shot: where its frames are.
        labels: of the whole source, or None.
    """

    id: str
    source: Source
    shot: Shot
    labels: SourceLabels | None = None


@dataclass(frozen=True)
class ClipDone:
    """A clip's end: ``failure`` is one line, "" where its piece lies in the work folder."""

    item: ClipItem
    failure: str


def clip_keys(item: ClipItem, config: PreprocessConfig) -> dict[str, str]:
    """Stage -> key of what it makes of this clip; a stage's key changes with everything before it."""
    key = key_of(av.__version__, cv2.__version__, item.id, item.source.sha256, item.shot.stretch())
    keys = {}
    for name, settings in _settings(item, config):
        key = keys[name] = key_of(key, name, settings)
    return keys


def _settings(item: ClipItem, config: PreprocessConfig) -> list[tuple[str, object]]:
    finds = "reader" in (config.pose.backend, config.face.backend)
    reads = config.expression.method in ("auto", "reader")
    return [
        ("holds", [_plain(config.ingest), _plain(config.holds)]),
        ("pose", [_plain(config.pose), _reader_hash(config.pose.reader, finds)]),
        ("labels", None if item.labels is None else item.labels.sha256),
        ("face", _plain(config.face)),
        ("expression", [_plain(config.expression), _reader_hash(config.expression.reader, reads)]),
        ("smooth", _plain(config.smooth)),
        ("crop", _plain(config.crop)),
        (CLIPS, _plain(config.flow)),
    ]


def _plain(section: Section) -> object:
    """Settings, and hashes of the files they name, as plain types."""
    return [section.model_dump(mode="json"), _files_of(section)]


def _files_of(section: Section) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in section:
        if isinstance(value, Section):
            found |= {f"{name}.{inner}": sha256 for inner, sha256 in _files_of(value).items()}
        elif isinstance(value, Path) and value.is_file():
            found[name] = _file_hash(value)
    return found


def _reader_hash(reader: str | Path, used: bool) -> str:
    """A reader's own bytes: those of the shipped copies change with the package."""
    return _file_hash(find_reader(reader)) if used else ""


def _file_hash(file: Path) -> str:
    about = file.stat()
    return _hash_once(file, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=64)
def _hash_once(file: Path, changed: int, size: int) -> str:
    """Every clip asks for the hash of the same models, which may have half a gigabyte."""
    return sha256_of(file)


class Tools:
    """What a process keeps from clip to clip. Models are loaded when the first clip needs them."""

    def __init__(self, config: PreprocessConfig) -> None:
        self._config = config
        self.reader = ShotReader(config.ingest)

    @cached_property
    def pose(self) -> PoseBackend | None:
        return open_pose_backend(self._config.pose)

    @cached_property
    def face(self) -> FaceBackend | None:
        face = self._config.face
        return open_face_finder(
            open_face_backend(face.backend or self._config.pose.backend, self._config.pose), face
        )

    @cached_property
    def expression(self) -> ExpressionTools:
        return open_expression_tools(self._config.expression)

    @cached_property
    def flow(self) -> FlowNetwork | None:
        return open_flow_network(self._config.flow)


@dataclass(frozen=True)
class ToolsTask:
    """Opens everything once, where it will be used: what is missing is better known before the work than after it."""

    config: PreprocessConfig
    work: WorkFolder

    def tools(self) -> None:
        return None

    def do(self, item: str, tools: None) -> str:
        """What is wrong, in one line; "" = nothing. ``item`` names the attempt."""
        opened = Tools(self.config)
        try:
            for _ in (opened.pose, opened.face, opened.expression, opened.flow):
                pass
        except UserError as error:
            return str(error)
        except Exception as error:
            return self.work.note_fault(item, error)
        return ""


@dataclass(frozen=True)
class ClipTask:
    """Does every stage of a clip (:class:`~preprocessing.lanes.Task`)."""

    config: PreprocessConfig
    work: WorkFolder

    def tools(self) -> Tools:
        return Tools(self.config)

    def do(self, item: ClipItem, tools: Tools) -> ClipDone:
        """Make the clip's piece, from the last stage that has been finished before."""
        keys = clip_keys(item, self.config)
        if self.work.find(CLIPS, keys[CLIPS]):
            return ClipDone(item, "")
        try:
            clip = tools.reader.read(item.source, item.shot)
            clip, stages = self._resume(clip, keys, item, tools)
        except UserError as error:
            return ClipDone(item, str(error))
        except Exception as error:
            return ClipDone(item, f"reading: {self.work.note_fault(item.id, error)}")
        for name, stage in stages:
            try:
                clip = stage(clip)
            except UserError as error:
                return ClipDone(item, f"{name}: {error}")
            except Exception as error:
                return ClipDone(item, f"{name}: {self.work.note_fault(item.id, error)}")
            if name in keys and name != "crop":
                with self.work.making(name, keys[name]) as room:
                    save_labels(room, clip)
        _, height, width, channels = clip.frames_u8.shape
        clip = clip.with_facts(channels=channels, width=width, height=height, fps=clip.fps)
        with self.work.making(CLIPS, keys[CLIPS]) as room:
            write_clip_files(room, "clip", clip.frames_u8, clip.fps, clip_arrays(clip))
            save_labels(room, clip)
        return ClipDone(item, "")

    def _resume(
        self, clip: Clip, keys: dict[str, str], item: ClipItem, tools: Tools
    ) -> tuple[Clip, list[tuple[str, Stage]]]:
        """The clip with the labels of the last finished stage, and the stages that remain."""
        stages = self._stages(item, tools)
        for number in reversed(range(len(stages))):
            name = stages[number][0]
            if name in keys and name not in ("crop", CLIPS):
                place = self.work.find(name, keys[name])
                # A damaged piece is made again from the one before it.
                with suppress(StoreError):
                    if place is not None:
                        return load_labels(place, clip), stages[number + 1 :]
        return clip, stages

    def _stages(self, item: ClipItem, tools: Tools) -> list[tuple[str, Stage]]:
        config = self.config
        track = None if item.labels is None else item.labels.read()
        return [
            ("holds", lambda clip: mark_holds(clip, config.holds)),
            ("pose", lambda clip: _with_pose(clip, tools.pose, config)),
            ("labels", lambda clip: _labelled(clip, track)),
            ("face", lambda clip: find_face(clip, tools.face, config.face)),
            # A label set by a person wins over what the expression stage has read.
            (
                "expression",
                lambda clip: _labelled(read_expression(clip, tools.expression, config.expression), track),
            ),
            ("smooth", lambda clip: smooth_pose(clip, config.smooth)),
            ("crop", lambda clip: crop_clip(clip, config.crop)),
            ("flow", lambda clip: measure_flow(clip, config.flow, tools.flow)),
        ]


def _with_pose(clip: Clip, backend: PoseBackend | None, config: PreprocessConfig) -> Clip:
    if backend is None:
        return replace(clip, pose=Pose.nothing(len(clip.hold), NOT_LABELLED)).with_facts(frames_with_pose=0.0)
    return find_pose(clip, backend, config.pose)


def _labelled(clip: Clip, track: LabelTrack | None) -> Clip:
    return clip if track is None else apply_labels(clip, track)


def clip_arrays(clip: Clip) -> dict[str, np.ndarray] | None:
    """What a store keeps of a clip beside its tables."""
    arrays: dict[str, np.ndarray] = {}
    pose = clip.pose or Pose.nothing(len(clip.hold), "")
    if (pose.confidence > 0).any():
        arrays["joint_origin"] = pose.origin
    if pose.hands is not None:
        arrays["hands"] = pose.hands
    if clip.face is not None and clip.face.points is not None:
        arrays["face_points"] = clip.face.points
    if clip.flow is not None and clip.flow_valid is not None:
        arrays |= {
            "flow": clip.flow,
            "flow_valid": clip.flow_valid,
            "measured_by": np.array("preprocessing"),
        }
    return arrays or None


def read_piece(place: Path, item: ClipItem) -> Clip:
    """A finished clip's labels; its pixels are left in their file."""
    nothing = np.zeros((0, 1, 1, 3), np.uint8)
    blank = np.zeros(0, np.int64)
    clip = Clip(item.id, item.source, 0.0, 0.0, 1.0, nothing, blank, blank)
    return load_labels(place, clip)
