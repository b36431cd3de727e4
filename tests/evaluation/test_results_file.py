"""Another program's or a damaged results.json is refused in one line that names the field."""

import json
from pathlib import Path
from typing import Any

import pytest

from temporal_gan.errors import UserError
from temporal_gan.evaluation.results import SCHEMA
from temporal_gan.evaluation.results_file import read_results


def content() -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "protocol": {"name": "clips_v1", "seed": 0, "split": "test", "anchors": {"frozen": "..."}},
        "metrics": [{"name": "psnr", "value": 21.5, "higher_is_better": True, "ideal": None, "unit": "dB"}],
        "clips": [
            {"clip_id": "a", "character": "hana", "real_hash": "0f", "values": {"psnr": 21.5, "ssim": None}}
        ],
        "versions": {},
    }


def test_a_whole_file_or_its_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(content()))
    for path in (tmp_path, tmp_path / "results.json"):
        found = read_results(path)
        assert found.clips[0].values == {"psnr": 21.5, "ssim": None}
        assert (found.metrics[0].name, found.metrics[0].value) == ("psnr", 21.5)
        assert found.protocol.settings() == {
            "name": "clips_v1", "seed": 0, "split": "test", "interval_unit": "clip"
        }  # fmt: skip


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("schema",), 99, "schema 99, expected "),
        (("schema",), None, "schema None, expected "),
        (("protocol",), 3, r"damaged \(protocol: "),
        (("protocol", "name"), None, r"damaged \(protocol.name: "),
        (("protocol", "seed"), -1, r"damaged \(protocol.seed: "),
        (("metrics",), None, r"damaged \(metrics: "),
        (("metrics", 0, "value"), "much", r"damaged \(metrics.0.value: "),
        (("clips",), 3, r"damaged \(clips: "),
        (("clips", 0), 3, r"damaged \(clips.0: "),
        (("clips", 0, "real_hash"), None, r"damaged \(clips.0.real_hash: "),
        (("clips", 0, "values"), 3, r"damaged \(clips.0.values: "),
        (("clips", 0, "values", "psnr"), "x", r"damaged \(clips.0.values.psnr: "),
        (("clips", 0, "values", "psnr"), float("nan"), r"damaged \(clips.0.values.psnr: "),
    ],
)
def test_a_damaged_field_is_named(
    tmp_path: Path, place: tuple[str | int, ...], value: Any, words: str
) -> None:
    spoilt = content()
    inside: Any = spoilt
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    (tmp_path / "r.json").write_text(json.dumps(spoilt))
    with pytest.raises(UserError, match=rf"r\.json: {words}"):
        read_results(tmp_path / "r.json")


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "3", "[" * 100_000, "\udcff\udcfe"])
def test_what_is_no_results_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"r\.json: is no results\.json") as caught:
        read_results(tmp_path / "r.json")
    assert "\n" not in str(caught.value)
