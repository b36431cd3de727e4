"""Strict configuration: YAML files that hold differences (``extends:``) plus key=value, checked by a frozen schema."""

import contextlib
import difflib
import sys
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import ConfigError


class Section(BaseModel):
    """Base of every configuration section: unknown keys are errors, values cannot change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Schema = TypeVar("Schema", bound=BaseModel)


def load_config(source: str | None, overrides: list[str], schema: type[Schema], below: str = "") -> Schema:
    """Read a recipe, its parents, and overrides into a schema.

    Args:
        source: path of a YAML file, or the name of a recipe that comes with the package (``tiny``); None = the
            schema's defaults.
        overrides: ``losses.l1_weight=5`` and the like; values are read as YAML.
        schema: a pydantic model.
        below: the folder of the recipes that come with the package in which ``source`` may be a name.
    Raises:
        ConfigError: file, key, value; with "did you mean" for a misspelt key.
    """
    path = None if source is None else find_recipe(source, below)
    values = {} if path is None else _read(path, ())
    origin = "settings" if path is None else str(path)
    for override in overrides:
        _apply(values, override)
    if overrides:
        origin = f"{origin} with {' '.join(overrides)}"
    return parse_config(values, schema, origin)


def parse_config(values: dict[str, Any], schema: type[Schema], origin: str) -> Schema:
    """Plain values -> schema. Raises ConfigError naming ``origin`` and every wrong key."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_problem(dict(e), schema) for e in error.errors())
        raise ConfigError(f"{origin}: {problems}") from None


def find_recipe(source: str, below: str = "") -> Path:
    """A file of this path, or the shipped recipe of this name, in folder ``below`` of those. Raises ConfigError listing
    the recipes."""
    path = Path(source)
    if path.is_file():
        return path
    folders = [Path(__file__).parents[1] / "configs", Path(sys.prefix) / "share" / "temporal_gan" / "configs"]
    folders = [folder / below for folder in folders]
    for folder in folders:
        candidate = folder / f"{Path(source).stem}.yaml"
        if candidate.is_file() and path.parent == Path("."):
            return candidate
    names = sorted({f.stem for folder in folders if folder.is_dir() for f in folder.glob("*.yaml")})
    raise ConfigError(
        f"{source}: no such configuration file, and no recipe of that name; recipes: {', '.join(names)}"
    )


def differences(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """``key: old -> new`` for every leaf in which two plain configurations differ."""
    found: list[str] = []
    for key in sorted({*old, *new}):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, f"{prefix}{key}.")
        elif a != b:
            found.append(f"{prefix}{key}: {a} -> {b}")
    return found


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if path in seen:
        raise ConfigError(f"{path}: extends itself by way of {' -> '.join(str(p) for p in seen)}")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys and values, got {type(values).__name__}")
    parent = values.pop("extends", None)
    if parent is None:
        return values
    parent_path = path.parent / str(parent)
    if not parent_path.is_file():
        raise ConfigError(f"{path}: extends {parent!r}, but {parent_path} does not exist")
    return _merge(_read(parent_path, (*seen, path)), values)


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        # A section of another kind (model.kind: dcgan) replaces, since its keys are not the parent's.
        if both and value.get("kind", merged[key].get("kind")) == merged[key].get("kind"):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"override {override!r}: expected key=value, for example train.steps=1000")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"override {override!r}: {text!r} is not valid YAML") from None
    if isinstance(value, str):
        # YAML 1.1 reads 1e-4 as text.
        with contextlib.suppress(ValueError):
            value = float(value)
    *sections, leaf = key.split(".")
    for section in sections:
        child = values.setdefault(section, {})
        if not isinstance(child, dict):
            raise ConfigError(f"override {override!r}: {section!r} holds a value, not keys")
        values = child
    values[leaf] = value


def _problem(error: dict[str, Any], schema: type[BaseModel]) -> str:
    parts, known = _locate(schema, [str(p) for p in error["loc"]])
    where = ".".join(parts)
    if error["type"] == "union_tag_not_found":
        kinds = [
            str(m.model_fields["kind"].default) for m in _models_of(schema.model_fields[parts[0]].annotation)
        ]
        return f"{where}.kind is missing; choose one of: {', '.join(kinds)}"
    if error["type"] != "extra_forbidden":
        message = str(error["msg"]).removeprefix("Value error, ")
        given = "" if isinstance(error["input"], dict) else f", got {error['input']!r}"
        return f"{where + ': ' if where else ''}{message}{given}"
    close = difflib.get_close_matches(parts[-1], known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(sorted(known))}"
    return f"unknown key {where!r}; {hint}"


def _locate(schema: type[BaseModel], location: list[str]) -> tuple[list[str], list[str]]:
    """The key an error is at, and the keys that are known beside it."""
    models, keys, known = [schema], [], list(schema.model_fields)
    for part in location:
        # A union of models puts the chosen one's kind into the location; that is no key, though a field may be
        # called the same (model.temporal of model.kind temporal).
        chosen = [m for m in models if "kind" in m.model_fields and m.model_fields["kind"].default == part]
        if len(models) > 1 and chosen:
            models = chosen
            continue
        keys.append(part)
        known = [key for m in models for key in m.model_fields]
        models = [
            n for m in models if part in m.model_fields for n in _models_of(m.model_fields[part].annotation)
        ]
    return keys, known


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for argument in getattr(annotation, "__args__", ()) for m in _models_of(argument)]
