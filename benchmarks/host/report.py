"""Measure every way in turns, and print the medians and their ratios."""

import json
import shutil
import statistics
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.host.subject import PYTHON, WAYS, Subject, Way
from benchmarks.support import aws_stub, command
from benchmarks.support.memory import MEBIBYTE
from benchmarks.support.recorded_outputs import typical_fields
from infra.build.artifacts import LAYER
from infra.build.zips import build_layer

OUTPUTS: Final = 7
SHARES: Final = (0.29, 0.145)  # of a processor: what Lambda gives 512 and 256 MB
OURS, YARDSTICK = WAYS[0], WAYS[1]

Run = dict[str, list[Mapping[str, Any]]]  # the reports of one way, by part


def run(repetitions: int) -> dict[str, Any]:
    """Measure every way; each repetition runs all of them, so that the machine's speed affects all alike."""
    runs: dict[str, Run] = {way.name: {"drain": [], "loop": [], **{str(s): [] for s in SHARES}} for way in WAYS}
    uncompiled = []
    with measuring() as (subject, layer_bytes):
        for way in WAYS:
            subject.measure(way, "drain")  # writes the byte code, which later processes find
        for _ in range(repetitions):
            for way in WAYS:
                for part in ("drain", "loop"):
                    runs[way.name][part].append(subject.measure(way, part))
            for share in SHARES:
                for way in (OURS, YARDSTICK):
                    runs[way.name][str(share)].append(subject.measure_held(way, share))
    with measuring() as (subject, _):  # a layer without byte code, which Lambda cannot write
        uncompiled = [subject.measure(OURS, "construct-uncompiled") for _ in range(repetitions)]
    return {
        "machine": {**command.machine(()), "subjects": PYTHON},
        "repetitions": repetitions,
        "held_by": runs[OURS.name][str(SHARES[0])][0]["held_by"],
        "layer_bytes": layer_bytes,
        "import_boto3_ms": _median([report["host"]["cpu"] for way in runs.values() for report in way["drain"]]),
        "uncompiled_ms": _median([report["construct"]["cpu"] for report in uncompiled]),
        "rows": [_row(way, runs[way.name]) for way in WAYS],
        "ratios": paired_ratios(runs[OURS.name]["drain"], runs[YARDSTICK.name]["drain"]),
    }


@contextmanager
def measuring() -> Iterator[tuple[Subject, int]]:
    """Run the stub, write the outputs and unpack the layer; yield what measures, and the bytes of the layer's zip."""
    built = build_layer()
    fields = typical_fields()
    folder = Path(tempfile.mkdtemp())
    try:
        outputs = folder / "outputs.json"
        outputs.write_text(json.dumps([{**fields, "agent_type": f"agent-{index}"} for index in range(OUTPUTS)]))
        with zipfile.ZipFile(built.path) as bundle:
            bundle.extractall(folder)
        with aws_stub.running_stub() as url:
            yield Subject(url, outputs, folder / LAYER.prefix), built.compressed
    finally:
        shutil.rmtree(folder)


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _row(way: Way, parts: Run) -> dict[str, Any]:
    drains = parts["drain"]

    def of(phase: str, figure: str) -> float:
        return _median([report[phase][figure] for report in drains])

    row: dict[str, Any] = {
        "name": way.name,
        "title": way.title,
        "construct_ms": of("construct", "cpu"),
        "first_ms": of("first", "wall"),
        "warm_ms": of("warm", "wall"),
        "first_cpu_ms": of("first", "cpu"),
        "others_cpu_ms": of("first", "others"),
        "memory": of("first", "memory"),
        "slowdown": _median([report["slowdown"] for report in parts["loop"]]),
    }
    for share in SHARES:
        if held := parts[str(share)]:
            row[f"held_{share}_ms"] = _median([report["first"]["wall"] for report in held])
            row[f"held_{share}_sent"] = min(report["sent"] for report in held)
    return row


def paired_ratios(ours: Sequence[Mapping[str, Any]], boto3: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the medians of ratios, each within one process or of two that ran in turn: a machine's speed changes."""
    return {
        "import": _median([report["construct"]["cpu"] / report["host"]["cpu"] for report in ours]),
        **{
            phase: _median([one[phase]["wall"] / other[phase]["wall"] for one, other in zip(ours, boto3, strict=True)])
            for phase in ("first", "warm")
        },
    }


_COLUMNS: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "import and construction, CPU ms": lambda row: f"{row['construct_ms']:,.1f}",
    "first drain, ms": lambda row: f"{row['first_ms']:,.1f}",
    "warm drain, ms": lambda row: f"{row['warm_ms']:,.1f}",
    "first drain, CPU ms (other threads)": lambda row: f"{row['first_cpu_ms']:,.1f} ({row['others_cpu_ms']:,.1f})",
    "memory, MiB": lambda row: f"{row['memory'] / MEBIBYTE:,.1f}",
    "slowdown of a loop": lambda row: f"{row['slowdown']:.2f}",
    **{
        f"first drain at {share} CPU, ms (sent)": lambda row, share=share: (  # type: ignore[misc]  # mypy cannot infer a default's type
            f"{row[f'held_{share}_ms']:,.0f} ({row[f'held_{share}_sent']})" if f"held_{share}_ms" in row else "-"
        )
        for share in SHARES
    },
}


def table(report: Mapping[str, Any]) -> str:
    """Return the rows as a Markdown table."""
    lines = [f"| | {' | '.join(_COLUMNS)} |", f"|---|{'--:|' * len(_COLUMNS)}"]
    lines += [f"| {row['title']} | {' | '.join(cell(row) for cell in _COLUMNS.values())} |" for row in report["rows"]]
    return "\n".join(lines)


def goals(report: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Return each goal with its figure and its limit."""
    ours = next(row for row in report["rows"] if row["name"] == OURS.name)
    ratios = report["ratios"]
    return [
        ("import and construction / import boto3 (CPU)", ratios["import"], 0.1),
        ("import and construction, CPU ms", ours["construct_ms"], 20),
        ("first drain / boto3's first client and call", ratios["first"], 1.5),
        ("warm drain / boto3's warm call", ratios["warm"], 1.15),
        ("memory over a host that has a boto3 client, MiB", ours["memory"] / MEBIBYTE, 3),
        ("layer, KiB", report["layer_bytes"] / 1024, 150),
        ("the sender's CPU until the first batch is sent, ms", ours["others_cpu_ms"], 60),
        ("slowdown of a loop in the first second", ours["slowdown"], 1.1),
        *[
            (f"not sent in the first invocation at {share} CPU", OUTPUTS - ours[f"held_{share}_sent"], 0)
            for share in SHARES
        ],
    ]
