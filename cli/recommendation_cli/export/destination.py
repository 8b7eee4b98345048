"""Where an export goes, and in which format."""

from pathlib import PurePath
from typing import Any, Final, NamedTuple

import click

from recommendation_cli.export.dataset_options import DatasetOptions
from recommendation_cli.options.eager import CSV_WITH_BOM
from recommendation_cli.options.table import STDOUT
from recommendation_cli.screen.visible import visible

EXPORT_FORMATS: Final = ("jsonl", "csv", "parquet")
_SUFFIXES: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}


class Destination(NamedTuple):
    """A file name (or `-`), the format if it was given, whether an existing file may be replaced, and CSV's mark.

    `dataset` says whether to write a dataset there.
    """

    path: str
    file_format: str | None
    overwrite: bool
    bom: bool
    dataset: DatasetOptions

    def resolved_format(self) -> str:
        """Return `jsonl`, `csv`, `csv-bom` or `parquet`; raise a usage error when that is unknown or impossible."""
        implied = "jsonl" if self.path == STDOUT else _SUFFIXES.get(PurePath(self.path).suffix.lower())
        file_format = self.file_format or implied
        if file_format is None:
            raise click.UsageError(
                f"Cannot tell the format from the name {visible(self.path)}: end it with .jsonl, .csv or .parquet, or"
                " pass --format."
            )
        if file_format == "parquet" and self.path == STDOUT:
            raise click.UsageError("Parquet cannot be written to standard output: name a file.")
        if self.bom:
            if file_format != "csv":
                raise click.UsageError("--bom is for CSV: end the name with .csv, or pass --format csv.")
            return CSV_WITH_BOM
        return file_format


def destination_of(path: str, file_format: str | None, *, overwrite: bool, bom: bool, **dataset: Any) -> Destination:
    """Return the destination that the options describe."""
    return Destination(path, file_format, overwrite, bom, DatasetOptions(**dataset))
