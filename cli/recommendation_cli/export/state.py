"""The scope and progress of an export: everything needed to resume it, as saved in FILE.state."""

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Final, Self

from recommendation_cli.aws.connection import Target
from recommendation_cli.export.dataset import Dataset
from recommendation_cli.search.filters import Filter
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Search
from recommendation_shared.item.attribute_value import AttributeValue

_STATE_VERSION: Final = 5

_LIMITS: Final = ("least_confidence", "most_confidence")  # kept as text: JSON has no decimal numbers

Keys = tuple[tuple[str, str], ...]
"""The searches to run one after another, as index key and value, such as `(("incidentId", "incident-7"),)`."""


class StateError(ValueError):
    """A state file that this version of `recs` did not write."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The items to export, and their table. `now` (epoch seconds) hides what had expired by then; None hides nothing.

    `dataset` says what is in its examples, if it is to be written instead of documents.
    `reviews` is the table of reviews, and `reviewed_until` a sort key: what was written after it is left out. Both
    times are fixed when an export starts, so that resuming later produces the same file.
    """

    target: Target
    keys: Keys
    period: Period
    matching: Filter
    file_format: str
    now: float | None
    reviews: Target
    reviewed_until: str
    dataset: Dataset | None = None

    def search(self, number: int) -> Search:
        """Return one of the searches."""
        key, value = self.keys[number]
        return Search(key, value, period=self.period, oldest_first=True, matching=self.matching)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export has come: the current search, the key to continue after, and what the file holds so far.

    `unreviewed` says that reviews could not be read when the export started, so that the file has none. `omitted`
    counts what a dataset leaves out because nobody reviewed it, and `redacted` has the fields that it left out.
    """

    search: int = 0
    after: dict[str, AttributeValue] | None = None
    size: int = 0  # bytes
    documents: int = 0
    expired: int = 0
    others: dict[str, int] = field(default_factory=dict)  # agent type -> how many the filter rejected
    unreviewed: bool = False
    omitted: int = 0
    redacted: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExportState:
    """The plan and the progress of one export."""

    plan: Plan
    progress: Progress

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        limits = {
            name: None if (number := getattr(self.plan.matching, name)) is None else str(number) for name in _LIMITS
        }
        dataset = self.plan.dataset and self.plan.dataset._asdict()
        plan = {**asdict(self.plan), "matching": {**self.plan.matching._asdict(), **limits}, "dataset": dataset}
        return {"version": _STATE_VERSION, "plan": plan, "progress": asdict(self.progress)}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what `to_json` returned; raise `StateError` for anything else."""
        try:
            if value["version"] != _STATE_VERSION:
                raise StateError(f"version {value['version']!r} is not known")
            given = value["plan"]
            matching, dataset = given["matching"], given["dataset"]
            limits = {name: None if matching[name] is None else Decimal(matching[name]) for name in _LIMITS}
            lists = {name: tuple(map(str, matching[name])) for name in ("agents", "statuses")}
            plan = Plan(
                target=Target(**given["target"]),
                keys=tuple((str(key), str(wanted)) for key, wanted in given["keys"]),
                period=Period(*given["period"]),
                matching=Filter(**{**matching, **limits, **lists}),
                file_format=given["file_format"],
                now=given["now"],
                reviews=Target(**given["reviews"]),
                reviewed_until=given["reviewed_until"],
                dataset=None if dataset is None else Dataset(tuple(dataset["redacted"]), dataset["unreviewed"]),
            )
            return cls(plan, Progress(**value["progress"]))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise StateError(str(error)) from None
