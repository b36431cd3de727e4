"""Which files are sources, where they come from, and under which licence."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Literal

from temporal_gan.errors import UserError
from temporal_gan.video_io import STILL_SUFFIXES, VIDEO_SUFFIXES, natural_key

from .clip import Source
from .ingest import IngestConfig
from .media_limits import MediaLimits, check_file
from .outcome import Outcome, told_without_folder
from .picture_media import folder_pictures, is_sequence
from .sequence import sequence_flaw
from .sidecar import VALUES, Entry, Provenance, name_key, read_own_sidecar, read_sidecar, write_table
from .source_name import name_within, one_line
from .work_folder import CACHE_TAG

MEDIA_SUFFIXES = tuple(dict.fromkeys((*VIDEO_SUFFIXES, *STILL_SUFFIXES)))
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")
_STORE_FILES = ("store.json", "clips.parquet")


def find_sources(
    inputs: Sequence[Path], provenance: Path | None, defaults: Provenance, config: IngestConfig
) -> tuple[list[Source], list[Outcome]]:
    """Every source within some files and folders, in natural order of their names.

    A file with one of ``MEDIA_SUFFIXES`` is a source. The pictures of a folder are one source together, a clip, where
    :func:`.picture_media.is_sequence` says so, and a broken one where :func:`.sequence.sequence_flaw` tells what is
    missing; otherwise each is a source of one frame. A source is named by its path
    from the input folder it was found in, or, given as a file, by its own name: the same whatever else is given, since
    decisions, cuts, labels and splits go by it. The character it shows is, unless told, the one its folder is named
    after; right in an input folder, or given as a file, the one it is named after itself. Passed over are hidden files,
    and what runs have made: clip stores, and folders that a ``CACHEDIR.TAG`` marks as caches.

    What is known of a source is taken, value by value, from its own sidecar (``<file>.json`` beside it), then from the
    table, then from the defaults; a licence and its evidence are one value. Of files with the same bytes the first
    whose own licence is known is the source.

    Args:
        inputs: files, and folders with all that is in them.
        provenance: table, see :func:`.sidecar.read_sidecar`; None = there is none.
        defaults: what holds for sources of which nothing else is known.
        config: its limits hold for every file.
    Returns:
        the sources, no two with the same bytes; and an outcome for whatever else lay there: other files, empty files,
        links that lead out of the inputs, copies, copies of which sidecars and table give several licences, lines of
        the table that name none of the sources.
    Raises:
        UserError: an input is missing, a store or cache itself, or within another; sources of two inputs have one name;
            or the table is wrong. File and line are named.
    """
    missing = [str(path) for path in inputs if not path.exists()]
    if missing or not inputs:
        raise UserError(f"{missing[0]}: no such file or folder" if missing else "no input given")
    made = next((path for path in inputs if _is_made(path)), None)
    if made:
        raise UserError(
            f"{made}: is a clip store or a work folder, made by a run; give the clips it was made from"
        )
    roots = sorted({path.resolve() for path in inputs})
    inner = next((pair for pair in pairwise(roots) if pair[1].is_relative_to(pair[0])), None)
    if inner:
        raise UserError(f"{inner[1]}: lies within {inner[0]}, which is an input too; give one of them")
    table = read_sidecar(provenance, roots) if provenance else {}
    outcomes: list[Outcome] = []
    owners: dict[Path, Path] = {}
    for root in roots:
        strangers: dict[tuple[Path, str], list[Path]] = defaultdict(list)
        for file, state, reason in _walk(root, config.limits):
            if reason:
                outcomes.append(Outcome(name_within(file, root), "", state, reason))
            elif file.is_dir() or file.suffix.lower() in MEDIA_SUFFIXES:
                owners.setdefault(file, root)
            elif not _is_sidecar(file, provenance):
                strangers[file.parent, file.suffix.lower()].append(file)
        outcomes += [_stranger(files, suffix, root) for (_, suffix), files in strangers.items()]
    names = {file: name_within(file, root) for file, root in owners.items()}
    _check_names(names, owners)
    sources: list[Source] = []
    copies: dict[str, list[tuple[Source, bool]]] = defaultdict(list)
    taken: set[str] = set()
    for file in sorted(owners, key=lambda path: (natural_key(names[path]), path)):
        name = names[file]
        if name in taken:
            # Two spellings of one name: decisions and labels could not tell them apart.
            outcomes.append(Outcome(name, "", "failed", "another file has this name too; rename one of them"))
            continue
        taken.add(name)
        try:
            entry = table.get(name_key(name))
            source, licensed = _source(file, name, owners[file], entry, defaults, config.limits)
        except UserError as error:
            reason = told_without_folder(str(error), file, name)
            outcomes.append(Outcome(name, "", "failed", one_line(reason)))
            continue
        sources.append(source)
        copies[source.sha256].append((source, licensed))
    spare = [outcome for same in copies.values() for outcome in _spare(same)]
    gone = {outcome.source for outcome in spare}
    outcomes += spare
    known = {name_key(name) for name in names.values()}
    for key, entry in table.items():
        if key not in known:
            where = Path(entry.where).name
            outcomes.append(Outcome(entry.name, "", "left out", f"{where}: is not among the inputs"))
    return [source for source in sources if source.name not in gone], outcomes


def without_licence(
    sources: Sequence[Source], allow: bool, wanted: Collection[str] = ()
) -> tuple[list[Source], list[Outcome]]:
    """The sources that may be used, and an outcome for each that may not: of whose licence nothing is known.

    Args:
        sources: as found.
        allow: keep them all.
        wanted: names of sources to keep anyway.
    """
    reason = "no licence is known; give it in a sidecar or with --licence, or pass --allow-unlicensed"
    kept: list[Source] = []
    out: list[Outcome] = []
    for source in sources:
        if allow or source.licence.strip() or source.name in wanted:
            kept.append(source)
        else:
            out.append(Outcome(source.name, "", "left out", reason))
    return kept, out


def write_sources(file: Path, sources: Sequence[Source]) -> None:
    """Write what is known of sources as a CSV that :func:`find_sources` reads as its table. Raises StoreError."""
    rows = []
    for source in sources:
        values = {name: getattr(source, name) for name in VALUES}
        rows.append({"file": source.name, **values, "sha256": source.sha256})
    write_table(file, rows)


def _walk(root: Path, limits: MediaLimits) -> Iterator[tuple[Path, Literal["left out", "failed"], str]]:
    """Files, and folders that are one clip; with the reason for which one is left out or fails, or ""."""
    if root.is_file():
        yield root, "left out", ""
        return
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(entry for entry in folder.iterdir() if not _is_hidden(entry))
        except OSError as error:
            yield folder, "left out", f"cannot be read ({error.strerror})"
            continue
        pictures = folder_pictures(folder)
        whole = is_sequence(pictures, limits)
        flaw = "" if whole else sequence_flaw(pictures, limits)
        together = set(pictures) if whole or flaw else set()
        if together:
            yield folder, "failed", flaw
        for entry in entries:
            if entry.is_symlink():
                reason = _why_not_follow(entry, root)
                if reason or entry.is_file():
                    yield entry, "left out", reason
            elif entry.is_dir():
                if not _is_made(entry):
                    folders.append(entry)
            elif entry not in together:
                yield entry, "left out", ""


def _check_names(names: Mapping[Path, str], owners: Mapping[Path, Path]) -> None:
    """Raises UserError where two inputs have sources of one name."""
    first: dict[str, Path] = {}
    for file, name in names.items():
        other = first.setdefault(name, file)
        if owners[other] != owners[file]:
            raise UserError(
                f"{other} and {file} would both be named {name!r}: a source is named from its own INPUT; "
                "rename one, or give one folder that holds both"
            )


def _is_made(folder: Path) -> bool:
    """A clip store, or a cache such as a run's work folder: what is in them are copies of what was put in."""
    return (folder / CACHE_TAG).is_file() or all((folder / name).is_file() for name in _STORE_FILES)


def _why_not_follow(link: Path, root: Path) -> str:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return "a link that leads nowhere"
    return "" if target.is_relative_to(root) else "a link that leads out of the input folder"


def _is_hidden(file: Path) -> bool:
    return file.name.startswith(".") or file.name.lower() in _SYSTEM_FILES


def _is_sidecar(file: Path, provenance: Path | None) -> bool:
    if provenance and file == provenance.resolve():
        return True
    return file.suffix.lower() == ".json" and file.with_suffix("").exists()


def _stranger(files: list[Path], suffix: str, root: Path) -> Outcome:
    name = name_within(files[0], root)
    kind = f"{suffix} is" if suffix else "no suffix:"
    if len(files) == 1:
        return Outcome(name, "", "left out", f"{kind} no video or picture")
    group = f"{name.rpartition('/')[0]}/*{suffix}".lstrip("/")
    return Outcome(group, "", "left out", f"{len(files)} files; {kind} no video or picture")


def _spare(same: Sequence[tuple[Source, bool]]) -> list[Outcome]:
    """Of sources with the same bytes, those not to use; each comes with whether its own licence is known."""
    told = [source for source, licensed in same if licensed]
    if len({source.licence.casefold() for source in told}) > 1:
        words = ", ".join(f"{source.name} is under {source.licence!r}" for source in told)
        reason = f"the same bytes have several licences: {words}; correct or remove one"
        return [Outcome(source.name, "", "failed", reason) for source, _ in same]
    first = told[0] if told else same[0][0]
    return [
        Outcome(source.name, "", "left out", f"same file as {first.name}")
        for source, _ in same
        if source is not first
    ]


def _source(
    file: Path, name: str, root: Path, entry: Entry | None, defaults: Provenance, limits: MediaLimits
) -> tuple[Source, bool]:
    """The source, and whether its licence is its own and not the default."""
    own = read_own_sidecar(file).over(entry.known if entry else Provenance())
    known = own.over(defaults)
    sha256 = _sha256(file, limits)
    if entry and entry.sha256 not in ("", sha256):
        raise UserError(f"{file}: has sha256 {sha256}, but {Path(entry.where).name} says {entry.sha256}")
    alone = file == root or file.parent == root
    own_name = file.name if file.is_dir() else file.stem
    values = asdict(known) | {"character": known.character or (own_name if alone else file.parent.name)}
    source = Source(file, name, sha256, **{key: one_line(value) for key, value in values.items()})
    return source, bool(own.licence)


def _sha256(path: Path, limits: MediaLimits) -> str:
    """Of a file's bytes; of a folder, of its pictures' names and bytes."""
    if path.is_dir():
        whole = hashlib.sha256()
        for file in folder_pictures(path):
            whole.update(f"{file.name.encode(errors='surrogateescape')!r} {_sha256(file, limits)}\n".encode())
        return whole.hexdigest()
    check_file(path, limits)
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
