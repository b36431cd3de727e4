"""Copies are found through codecs, sizes and mirrors; different shots are not copies."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from strange_media import encode, source

from preprocessing.dedupe import DedupeConfig, find_duplicates, frame_hash, shot_fingerprint
from preprocessing.ingest import IngestConfig
from preprocessing.shots import ShotsConfig, scan
from temporal_gan.alpha import over_white
from temporal_gan.puppet.clip import render_clip
from temporal_gan.puppet.spec import PuppetSpec

SPEC = PuppetSpec("mei", "walk", "auto:happy", 2, 24, 160, background="park")


def print_of(file: Path) -> str:
    (shot,) = scan(source(file), IngestConfig(), ShotsConfig(threshold=100), DedupeConfig(), None)
    return shot.fingerprint


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    return over_white(render_clip(SPEC).video)


@pytest.fixture(scope="module")
def walk_print(walk: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> str:
    return print_of(encode(tmp_path_factory.mktemp("walk") / "a.mp4", walk, crf="18"))


def test_copies_are_found(tmp_path: Path, walk: np.ndarray, walk_print: str) -> None:
    half = np.stack([cv2.resize(frame, (80, 80), interpolation=cv2.INTER_AREA) for frame in walk])
    brighter = np.clip(walk * 1.15 + 8, 0, 255).astype(np.uint8)
    marked = walk.copy()
    marked[:, 146:156, 110:156] = 255
    copies = {
        "crf": encode(tmp_path / "crf.mp4", walk, crf="34"),
        "half": encode(tmp_path / "half.mp4", half, crf="28"),
        "vp9": encode(tmp_path / "vp9.webm", walk, "libvpx-vp9", crf="40", b="0"),
        "brighter": encode(tmp_path / "brighter.mp4", brighter),
        "watermark": encode(tmp_path / "watermark.mp4", marked),
        "mirror": encode(tmp_path / "mirror.mp4", np.ascontiguousarray(walk[:, :, ::-1])),
    }
    shots = [
        ("original", "a", walk_print),
        *((name, f"z{name}", print_of(file)) for name, file in copies.items()),
    ]
    assert find_duplicates(shots, DedupeConfig()).copies == dict.fromkeys(copies, "original")


@pytest.mark.parametrize(
    "other",
    [
        {"expression": "auto:sad"},
        {"motion": "wave"},
        {"character": "akira"},
        {"background": "room"},
        {"seed": 9},
    ],
)
def test_other_shots_are_no_copies(tmp_path: Path, walk_print: str, other: dict) -> None:
    video = over_white(render_clip(replace(SPEC, **other)).video)
    second = print_of(encode(tmp_path / "b.mp4", video, crf="18"))
    assert find_duplicates([("a", "x", walk_print), ("b", "y", second)], DedupeConfig()).copies == {}


def made_up(rng: np.random.Generator, seconds: float, like: str = "", change: float = 0.0) -> str:
    """A fingerprint of random bits, or another with a share of its bits turned over."""
    bits = (
        np.frombuffer(bytes.fromhex(like.split(":")[1]), np.uint8)
        if like
        else rng.integers(0, 256, 256, np.uint8)
    )
    flips = np.packbits(rng.random(2048) < change)
    return shot_fingerprint(seconds, [(bits ^ flips).astype(np.uint8).tobytes()])


def test_the_first_of_a_group_is_kept_whatever_the_order() -> None:
    rng = np.random.default_rng(0)
    shots = []
    for group in range(40):
        first = made_up(rng, 2.0)
        for copy in range(4):
            like = made_up(rng, 2.0 + 0.01 * copy, first, 0.02)
            shots.append((f"c{group:02d}_{copy}", f"source {9 - copy}", like))
    expected = {f"c{group:02d}_{copy}": f"c{group:02d}_3" for group in range(40) for copy in range(3)}
    for _ in range(3):
        assert (
            find_duplicates([shots[i] for i in rng.permutation(len(shots))], DedupeConfig()).copies
            == expected
        )


def test_thresholds_hold_on_both_sides_of_a_block() -> None:
    rng = np.random.default_rng(1)
    for count in (3, 700, 9000):  # more than one block of rows, and of columns
        shots = [(f"{i:04d}", f"s{i:04d}", made_up(rng, 3.0)) for i in range(count)]
        near, far = made_up(rng, 3.0, shots[0][2], 0.06), made_up(rng, 3.0, shots[1][2], 0.11)
        found = find_duplicates([*shots, ("near", "z", near), ("far", "z", far)], DedupeConfig()).copies
        assert found == {"near": "0000"}


def test_within_a_source_only_close_repeats_count() -> None:
    rng = np.random.default_rng(2)
    first = made_up(rng, 3.0)
    loose, close = made_up(rng, 3.0, first, 0.05), made_up(rng, 3.0, first, 0.01)
    shots = [("a", "s", first), ("loose", "s", loose), ("close", "s", close)]
    assert find_duplicates(shots, DedupeConfig()).copies == {"close": "a"}
    assert find_duplicates([("a", "r", first), ("loose", "s", loose)], DedupeConfig()).copies == {
        "loose": "a"
    }


def test_lengths_must_agree() -> None:
    rng = np.random.default_rng(3)
    first = made_up(rng, 4.0)
    for seconds, same in ((4.19, True), (4.25, False), (3.85, True), (3.7, False)):
        other = made_up(rng, seconds, first)
        assert bool(find_duplicates([("a", "r", first), ("b", "s", other)], DedupeConfig()).copies) == same


def mirrored(bits: np.ndarray) -> np.ndarray:
    """bool [..., 256] of a picture -> of its mirror image."""
    odd = np.arange(256) % 2 == 1
    return bits ^ odd


def by_definition(shots: list[tuple[str, str, str]], config: DedupeConfig) -> dict[str, str]:
    """Every pair in turn, as :class:`DedupeConfig` words it."""
    found: dict[str, str] = {}
    kept: list[tuple[str, str, float, np.ndarray]] = []
    for name, origin, text in sorted(shots, key=lambda shot: (shot[1], shot[0])):
        seconds, digits = text.split(":")
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(digits), np.uint8)).reshape(-1, 256) == 1
        for first, other, length, there in kept:
            most = config.threshold * (0.25 if origin == other else 1)
            differ = [(bits != own).mean(axis=1) for own in (there, mirrored(there))]
            near = any(d.mean() <= most and d.max() <= 2 * most for d in differ)
            shorter, longer = sorted((float(seconds), length))
            if near and longer - shorter <= max(0.05 * shorter, 0.1):
                found[name] = first
                break
        else:
            kept.append((name, origin, float(seconds), bits))
    return found


@pytest.mark.parametrize("moments", [1, 4])
def test_pairs_are_those_of_the_definition(moments: int) -> None:
    rng = np.random.default_rng(moments)
    config = DedupeConfig(moments=moments)
    firsts = rng.random((12, moments, 256)) < 0.5
    shots = []
    for number in range(240):
        # From copies to the bit to far beyond the threshold, some mirrored, of several lengths and sources.
        change = rng.choice([0, 0.01, 0.03, 0.06, 0.075, 0.085, 0.12, 0.5])
        bits = firsts[rng.integers(12)] ^ (rng.random((moments, 256)) < change)
        bits = mirrored(bits) if rng.random() < 0.4 else bits
        text = shot_fingerprint(
            rng.choice([2.0, 2.08, 2.2, 6.0]), [np.packbits(row).tobytes() for row in bits]
        )
        shots.append((f"{number:03d}", f"source {rng.integers(40)}", text))
    wanted = by_definition(shots, config)
    assert 60 < len(wanted) < 200
    assert find_duplicates(shots, config).copies == wanted


def test_many_equal_shots_do_not_make_many_pairs() -> None:
    black = shot_fingerprint(1.0, [frame_hash(np.zeros((32, 32), np.uint8))] * 8)
    found = find_duplicates([(f"{i:05d}", "s", black) for i in range(20_000)], DedupeConfig()).copies
    assert set(found.values()) == {"00000"}
    assert len(found) == 19_999


def test_no_shots_no_duplicates() -> None:
    assert find_duplicates([], DedupeConfig()).copies == {}


def test_every_two_sources_that_share_a_shot_are_told() -> None:
    rng = np.random.default_rng(4)
    first = made_up(rng, 3.0)
    second = made_up(rng, 3.0, first, 0.06)
    third, other = made_up(rng, 3.0, second, 0.06), made_up(rng, 3.0)
    shots = [("a", "a", first), ("b", "b", second), ("c", "c", third), ("d", "d", other), ("e", "e", other)]
    found = find_duplicates(shots, DedupeConfig())
    # The third is like the second alone, which is left out: but a person may keep that.
    assert found.copies == {"b": "a", "e": "d"}
    assert found.alike == [("a", "b"), ("b", "c"), ("d", "e")]
