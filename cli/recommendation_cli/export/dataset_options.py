"""The options of `recs export` that write a dataset instead of documents."""

from typing import TYPE_CHECKING, Final, NamedTuple

import click

from recommendation_cli.options.declaring import declaring
from recommendation_cli.options.listing import moment

if TYPE_CHECKING:
    from recommendation_cli.export.dataset import Dataset


class DatasetOptions(NamedTuple):
    """Whether to write a dataset, and what its examples hold; `reviews_until` is a sort key."""

    dataset: bool = False
    redact: tuple[str, ...] = ()
    with_reviewers: bool = False
    with_unreviewed: bool = False
    reviews_until: str | None = None

    def chosen(self, file_format: str) -> "Dataset | None":
        """Return what to write; None for documents. Raise a usage error for what has no effect or is impossible."""
        from recommendation_cli.export.dataset import Dataset, all_redacted

        others = (
            ("--redact", self.redact),
            ("--with-reviewers", self.with_reviewers),
            ("--with-unreviewed", self.with_unreviewed),
            ("--reviews-until", self.reviews_until),
        )
        for option, given in others:
            if given and not self.dataset:
                raise click.UsageError(f"{option} is for datasets: add --dataset, or leave it out.")
        if not self.dataset:
            return None
        if file_format != "jsonl":
            raise click.UsageError("A dataset is JSON Lines: end the name with .jsonl, or pass --format jsonl.")
        try:
            redacted = all_redacted(self.redact, with_reviewers=self.with_reviewers)
        except ValueError as error:
            raise click.UsageError(f"--redact: {error}.") from None
        return Dataset(redacted, self.with_unreviewed)


dataset_options: Final = declaring(
    click.option(
        "--dataset",
        is_flag=True,
        help="Write reviewed recommendations as examples for evaluation or fine-tuning: output, verdict, root cause.",
    ),
    click.option(
        "--redact",
        multiple=True,
        metavar="FIELD",
        help="Dataset: leave out this field, such as note or output.recommendation.customer; may be repeated.",
    ),
    click.option("--with-reviewers", is_flag=True, help="Dataset: say who reviewed; otherwise that is left out."),
    click.option(
        "--with-unreviewed", is_flag=True, help="Dataset: include recommendations without any review of theirs."
    ),
    click.option(
        "--reviews-until",
        metavar="TIME",
        callback=moment,
        help="Dataset: as people judged at TIME, ignoring later reviews; a date alone includes the whole day.",
    ),
)
