"""Configuration: a recipe holds differences, and every mistake is named by file and key with a way out."""

import os
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from temporal_gan.config import Section, differences, find_recipe, load_config, parse_config
from temporal_gan.errors import ConfigError
from temporal_gan.experiment import ExperimentConfig


class Circle(Section):
    kind: Literal["circle"] = "circle"
    radius: float = Field(1.0, gt=0)


class Box(Section):
    kind: Literal["box"] = "box"
    # A field may be called as another model's kind is.
    circle: int = 3
    side: int = 2
    corners: Circle = Circle()


class Picture(Section):
    shape: Circle | Box = Field(Circle(), discriminator="kind")
    title: str = "none"
    scale: float = 1.0
    layers: tuple[int, ...] = ()


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def refusal(folder: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, "a.yaml", text), list(overrides), Picture)
    return str(caught.value)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "a.yaml", ""), [], Picture) == Picture()
    assert load_config(write(tmp_path, "a.yaml", "# nothing but words\n"), [], Picture) == Picture()


def test_extends_merges_key_by_key_over_any_number_of_parents(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "title: first\nscale: 2\nshape: {kind: box, side: 7, circle: 4}\n")
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "b.yaml", "extends: ../a.yaml\nscale: 3\nshape: {side: 8}\n")
    source = write(tmp_path, "c.yaml", "extends: sub/b.yaml\nlayers: [1, 2]\n")
    expected = Picture(title="first", scale=3, shape=Box(side=8, circle=4), layers=(1, 2))
    assert load_config(source, [], Picture) == expected


def test_lists_replace_and_do_not_merge(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "layers: [1, 2, 3]\n")
    assert load_config(write(tmp_path, "b.yaml", "extends: a.yaml\nlayers: [9]\n"), [], Picture).layers == (
        9,
    )


def test_another_kind_replaces_the_section_and_the_same_kind_does_not(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "shape: {kind: circle, radius: 5}\n")
    other = load_config(
        write(tmp_path, "b.yaml", "extends: a.yaml\nshape: {kind: box, side: 4}\n"), [], Picture
    )
    assert other.shape == Box(side=4)
    same = load_config(write(tmp_path, "c.yaml", "extends: a.yaml\nshape: {kind: circle}\n"), [], Picture)
    assert same.shape == Circle(radius=5)


def test_overrides_win_in_their_order_and_are_read_as_yaml(tmp_path: Path) -> None:
    source = write(tmp_path, "a.yaml", "title: first\nshape: {kind: box, side: 1}\n")
    config = load_config(
        source, ["scale=2", "shape.side=9", "scale=1e-4", "layers=[3, 4]", "title=a=b"], Picture
    )
    assert config == Picture(title="a=b", scale=1e-4, layers=(3, 4), shape=Box(side=9))
    # YAML 1.1 takes 2e1 for text, and text of this form for no whole number.
    assert load_config(source, ["shape.side=2e1"], Picture).shape == Box(side=20)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("scale", "expected key=value"),
        ("=3", "expected key=value"),
        ("layers=[1", "'[1' is not valid YAML"),
        ("title.x=1", "'title' holds a value, not keys"),
    ],
)
def test_a_malformed_override_is_named(tmp_path: Path, override: str, words: str) -> None:
    message = refusal(tmp_path, "title: first", override)
    assert repr(override) in message
    assert words in message


def test_a_wrong_override_is_named_beside_the_file(tmp_path: Path) -> None:
    message = refusal(tmp_path, "", "scale=tall")
    assert message.startswith(f"{tmp_path / 'a.yaml'} with scale=tall: scale: ")
    assert "'tall'" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scal: 1", "unknown key 'scal'; did you mean 'scale'?"),
        ("shape: {kind: box, sid: 1}", "unknown key 'shape.sid'; did you mean 'side'?"),
        ("shape: {kind: circle, radios: 1}", "unknown key 'shape.radios'; did you mean 'radius'?"),
        (
            "shape: {kind: box, corners: {radio: 1}}",
            "unknown key 'shape.corners.radio'; did you mean 'radius'?",
        ),
        ("shape: {kind: box, qqq: 1}", "unknown key 'shape.qqq'; known keys: circle, corners, kind, side"),
    ],
)
def test_a_misspelt_key_gets_a_suggestion_from_its_own_section(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_a_misspelt_key_of_the_real_model_gets_a_suggestion(tmp_path: Path) -> None:
    """The generator's kind and one of its fields are both called ``temporal``."""
    source = write(tmp_path, "a.yaml", "model: {kind: temporal, widht: 8}\ndata: {augment: {flip_porb: 1}}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(source, [], ExperimentConfig)
    assert "unknown key 'model.widht'; did you mean 'width'?" in str(caught.value)
    assert "unknown key 'data.augment.flip_porb'; did you mean 'flip_prob'?" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scale: tall", "scale: Input should be a valid number"),
        ("shape: {kind: box, side: 1.5}", "shape.side: "),
        ("shape: {kind: circle, radius: -1}", "shape.radius: Input should be greater than 0, got -1"),
        ("shape: {kind: ring}", "'ring'"),
        ("scale: .inf", "scale: Input should be a finite number"),
        ("scale: .nan", "scale: Input should be a finite number"),
        ("- 1\n- 2", "expected keys and values, got list"),
        ("just words", "expected keys and values, got str"),
        ("scale: [", "not valid YAML"),
        ("scale: !!python/object/apply:os.system [exit]", "not valid YAML"),
        ("extends: gone.yaml", "extends 'gone.yaml', but"),
        ("extends: a.yaml", "extends itself"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    message = refusal(tmp_path, text)
    assert message.startswith(str(tmp_path / "a.yaml"))
    assert words in message
    assert "\n" not in message


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, "scal: 1\nlayers: no\nshape: {kind: box, side: x}")
    assert all(words in message for words in ("'scal'", "layers", "shape.side"))


def test_a_cycle_of_recipes_names_its_way(tmp_path: Path) -> None:
    write(tmp_path, "b.yaml", "extends: a.yaml")
    message = refusal(tmp_path, "extends: b.yaml")
    assert "extends itself by way of" in message
    assert "b.yaml" in message


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"title: \xff\xfe\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(str(tmp_path / "a.yaml"), [], Picture)


def test_a_missing_recipe_lists_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tniy: no such configuration file.*recipes: .*base.*tiny"):
        find_recipe("tniy")
    # A path is not searched for among the recipes.
    with pytest.raises(ConfigError, match="no such configuration file"):
        find_recipe(str(tmp_path / "tiny.yaml"))


def test_a_recipe_is_found_by_name_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_recipe("tiny") == find_recipe("tiny.yaml")
    assert find_recipe("tiny").is_file()
    # A file of that name in the working folder is the user's own, and wins.
    write(tmp_path, "tiny.yaml", "")
    assert find_recipe("tiny.yaml").resolve() == tmp_path / "tiny.yaml"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path, "a.yaml", "")
    os.chmod(source, 0)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(source, [], Picture)


def test_a_configuration_cannot_be_changed_after_loading() -> None:
    config = parse_config({"scale": 2}, Picture, "here")
    with pytest.raises(ValueError, match="frozen"):
        config.scale = 3  # type: ignore[misc]


def test_what_is_dumped_loads_as_the_same() -> None:
    config = Picture(shape=Box(side=5, corners=Circle(radius=2)), layers=(1,))
    assert parse_config(config.model_dump(), Picture, "here") == config


def test_differences_name_every_leaf_and_nothing_else() -> None:
    old = {"a": {"b": 1, "c": {"d": 2}}, "same": [1, 2], "gone": 3, "list": [1]}
    new = {"a": {"b": 1, "c": {"d": 5}}, "same": [1, 2], "more": 4, "list": [1, 2]}
    assert differences(old, new) == [
        "a.c.d: 2 -> 5",
        "gone: 3 -> None",
        "list: [1] -> [1, 2]",
        "more: None -> 4",
    ]
    assert differences(old, old) == []
