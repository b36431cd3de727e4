"""Every setting of a preprocessing run: a section a stage, each beside the stage it is for."""

from pathlib import Path

from temporal_gan.config import Section, load_config
from temporal_gan.errors import ConfigError

from .crop import CropConfig
from .dedupe import DedupeConfig
from .expression import ExpressionConfig
from .face.finding import FaceConfig
from .flow import FlowConfig
from .holds import HoldsConfig
from .ingest import IngestConfig
from .pose.finding import PoseConfig
from .shots import ShotsConfig
from .smooth import SmoothConfig
from .split import SplitConfig


class PreprocessConfig(Section):
    """The whole of it. A YAML file holds differences from these defaults."""

    ingest: IngestConfig = IngestConfig()
    shots: ShotsConfig = ShotsConfig()
    holds: HoldsConfig = HoldsConfig()
    dedupe: DedupeConfig = DedupeConfig()
    pose: PoseConfig = PoseConfig()
    face: FaceConfig = FaceConfig()
    expression: ExpressionConfig = ExpressionConfig()
    smooth: SmoothConfig = SmoothConfig()
    crop: CropConfig = CropConfig()
    flow: FlowConfig = FlowConfig()
    split: SplitConfig = SplitConfig()


def load_preprocess_config(file: Path | None, overrides: list[str]) -> PreprocessConfig:
    """Settings from a YAML file, or the defaults, with ``stage.key=value`` on top.

    Raises:
        ConfigError: file, key, value.
    """
    if file is not None and not file.is_file():
        raise ConfigError(f"{file}: no such settings file")
    return load_config(None if file is None else str(file), overrides, PreprocessConfig)
