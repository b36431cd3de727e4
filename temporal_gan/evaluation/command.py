"""What ``temporal-gan evaluate`` does: find the clips, score them under the named protocol, write the results."""

from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn

from ..data.store import Store
from ..distributed import choose_device
from ..errors import UserError
from ..inference.animator import load_animator
from ..inference.weights_file import ANIMATOR_FILE
from ..models.reader_file import load_reader
from .clip_sets import ClipSet
from .clip_sources import content_key, find_clips
from .nearest_frame import NearestTrainingFrame
from .pairing import FilePairs, RunPairs, pair_files
from .protocols import PROTOCOLS, SET_PROTOCOLS, Protocol, SetProtocol
from .report import write_report
from .results import Results
from .run import EvaluationOptions, evaluate
from .set_results import SetResults
from .set_run import evaluate_sets


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes:
        generated: a run, a store, a folder of clips or a clip.
        reference: a store, a folder of clips or a clip.
        out: folder of results.json, report.html and the journal.
        protocol: its name.
        split: of stores, or None for the protocol's own, else test.
        workers: processes.
        device: for networks: auto, cpu, cuda or mps.
        reader: name of a shipped copy, a file, or a reader's run.
        quiet: print nothing but errors.
    """

    generated: Path
    reference: Path
    out: Path
    protocol: str
    split: str | None
    workers: int
    device: str
    reader: str
    quiet: bool

    def command(self) -> str:
        """The command line, without what changes no number."""
        said = f"temporal-gan evaluate {self.generated} {self.reference} --out {self.out}"
        said += "" if self.protocol == "clips_v1" else f" --protocol {self.protocol}"
        said += "" if self.reader == "metrics" else f" --reader {self.reader}"
        return said + ("" if self.split is None else f" --split {self.split}")


def run_evaluation(request: Request) -> bool:
    """Evaluate and write ``results.json`` and ``report.html``.

    Returns:
        whether every clip could be scored; the others are named on stderr.
    Raises:
        UserError: an unknown protocol, or nothing that can be scored.
    """
    names = (*PROTOCOLS, *SET_PROTOCOLS)
    if request.protocol not in names:
        raise UserError(f"--protocol {request.protocol!r} is not one of: {', '.join(names)}")
    choose_device(request.device)
    if request.reader != "metrics":
        # Before anything is written. The copy of the package is not asked for by name: without it the rest is scored.
        load_reader(request.reader)
    results: Results | SetResults
    if request.protocol in SET_PROTOCOLS:
        results = _score_sets(request, SET_PROTOCOLS[request.protocol])
        said = ", ".join(f"{side['clips']} {name} clips" for name, side in results.counts().items())
    else:
        results = _score_pairs(request, PROTOCOLS[request.protocol])
        said = f"{len(results.clips)} clips"
    results.write(request.out / "results.json")
    write_report(results, request.out / "report.html", command=request.command())
    for clip in results.failed:
        typer.echo(f"error: {clip.reason}", err=True)
    if not request.quiet:
        if results.missing:
            first = f"first {results.missing[0]!r}"
            typer.echo(f"real clips without a made one: {len(results.missing)}, {first}", err=True)
        typer.echo(f"{request.out / 'report.html'}: {said}")
    return not results.failed


def _score_pairs(request: Request, protocol: Protocol) -> Results:
    split = request.split or protocol.split
    if protocol.split not in (None, split):
        raise UserError(
            f"--split {split}: protocol {protocol.name} is about split {protocol.split}; leave --split out"
        )
    pairs: FilePairs | RunPairs
    nearest = None
    if _is_run(request.generated):
        store = Store.open(request.reference)
        animator = load_animator(request.generated, request.device)
        key = f"{content_key(_weights_file(request.generated))} on {choose_device(request.device).type}"
        split = split or "test"
        pairs = RunPairs(animator, store, split, key)
        nearest = NearestTrainingFrame(store) if store.split("train") else None
    else:
        if protocol.split and not (request.reference / "store.json").is_file():
            raise UserError(
                f"{request.reference}: protocol {protocol.name} needs a puppet store with split {protocol.split} as "
                "its reference; for other clips use clips_v1"
            )
        pairs = pair_files(request.generated, request.reference, split)
        split = split or _default_split(request.reference)
    request.out.mkdir(parents=True, exist_ok=True)
    with _progress(request.quiet) as progress:
        task = progress.add_task("evaluating", total=len(pairs))
        return evaluate(
            pairs,
            protocol,
            lambda done, name: progress.update(task, completed=done, description=f"evaluating {name}"),
            nearest,
            split=split or "",
            options=EvaluationOptions(request.workers, request.out / "clips.jsonl"),
            reader=request.reader,
        )


def _score_sets(request: Request, protocol: SetProtocol) -> SetResults:
    weights = None if request.reader == "metrics" else Path(request.reader)
    if weights is not None and protocol.network != "reader":
        raise UserError(
            f"--reader {weights}: protocol {protocol.name} judges by {protocol.network}; leave --reader out"
        )
    real = ClipSet(find_clips(request.reference, request.split))
    if _is_run(request.generated):
        key = content_key(_weights_file(request.generated))
        made = ClipSet(real.clips, load_animator(request.generated, request.device), key)
    else:
        made = ClipSet(find_clips(request.generated, request.split))
    request.out.mkdir(parents=True, exist_ok=True)
    most = 2 * -(-protocol.fewest // protocol.vectors_per_clip)
    with _progress(request.quiet) as progress:
        task = progress.add_task("reading", total=min(most, len(made.clips) + len(real.clips)))
        results = evaluate_sets(
            made,
            real,
            protocol,
            lambda done, name: progress.update(task, completed=done, description=f"reading {name}"),
            weights,
            device=choose_device(request.device),
            split=request.split or _default_split(request.reference),
            options=EvaluationOptions(request.workers, request.out / "features.jsonl"),
        )
        progress.update(task, description="comparing the sets")
        # Asked for here, so that the bar stands while it takes its time.
        results.to_dict()
    return results


def _default_split(reference: Path) -> str:
    """The name of what is scored where none was asked for, so that a run and another tool's clips compare."""
    if not (reference / "store.json").is_file():
        return ""
    return "test" if Store.open(reference).split("test") else "all"


def _is_run(path: Path) -> bool:
    return path.suffix == ".safetensors" or (path / ANIMATOR_FILE).is_file()


def _weights_file(run: Path) -> Path:
    return run if run.is_file() else run / ANIMATOR_FILE


def _progress(quiet: bool) -> Progress:
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    return Progress(*columns, console=Console(quiet=quiet, stderr=True))
