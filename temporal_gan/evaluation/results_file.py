"""``results.json`` read back: what a comparison or a study needs of it, checked before anything is computed."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import UserError
from .results import SCHEMA


class ScoredClip(BaseModel):
    """One clip's scores; ``real_hash`` names the pictures of the real clip, metrics without a value are None."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    clip_id: str
    character: str
    real_hash: str
    values: dict[str, float | None]


class ScoredMetric(BaseModel):
    """A metric over all clips."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    name: str
    value: float | None
    higher_is_better: bool | None
    ideal: float | None


class ProtocolRecord(BaseModel):
    """The protocol as it was recorded: its name, the seed of its intervals, and whatever else it says of itself."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    seed: int = Field(ge=0)
    interval_unit: str = "clip"

    def settings(self) -> dict[str, Any]:
        """All that can move a score; two evaluations compare where these are equal."""
        # Anchors depend on what a run had to compare with; they move no score.
        return {key: value for key, value in self.model_dump().items() if key != "anchors"}


class ResultsFile(BaseModel):
    """An evaluation; ``clips`` is empty where whole sets were scored."""

    model_config = ConfigDict(frozen=True)

    protocol: ProtocolRecord
    metrics: list[ScoredMetric]
    clips: list[ScoredClip]


def read_results(path: Path) -> ResultsFile:
    """Read what ``temporal-gan evaluate`` wrote.

    Args:
        path: the file, or the folder that holds ``results.json``.
    Raises:
        UserError: missing, no results.json, of another schema, or damaged; one line names the file and the field.
    """
    file = path / "results.json" if path.is_dir() else path
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}; temporal-gan evaluate --out DIR writes it") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: is no results.json ({error})") from None
    if not isinstance(content, dict) or "schema" not in content:
        raise UserError(f"{file}: is no results.json of temporal-gan evaluate (no field 'schema')")
    if content["schema"] != SCHEMA:
        raise UserError(f"{file}: schema {content['schema']!r:.40}, expected {SCHEMA}; evaluate again")
    try:
        return ResultsFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise UserError(f"{file}: damaged ({field}: {first['msg']}); evaluate again") from None
