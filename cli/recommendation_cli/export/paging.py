"""Copying what searches find to a file, page by page, so that it can stop anywhere and go on later."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, Self

from recommendation_cli.aws.connection import DynamoDb, Target
from recommendation_cli.output import csv_header, csv_line, json_line
from recommendation_cli.search.filters import Filter
from recommendation_cli.search.period import Period
from recommendation_cli.search.queries import Document, Search, is_expired, pages
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import decode_item

_STATE_VERSION: Final = 2
# Parquet is made of JSON Lines at the end: a Parquet file has no end that could be cut off and gone on from.
_LINES: Final[dict[str, Callable[[Document], bytes]]] = {"jsonl": json_line, "parquet": json_line, "csv": csv_line}

Keys = tuple[tuple[str, str], ...]  # of searches, one after another, such as (("incidentId", "incident-7"),)


class StateError(ValueError):
    """A state file that is none of ours."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is exported from where. `now` (epoch seconds) hides what had expired by then, None hides nothing.

    It is fixed when an export begins, so that going on later gives the same file.
    """

    target: Target
    keys: Keys
    period: Period
    only: Filter
    form: str
    now: float | None

    def search(self, number: int) -> Search:
        """Return one of the searches."""
        key, value = self.keys[number]
        return Search(key, value, period=self.period, oldest_first=True, only=self.only)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export has come: the search, the key after which it goes on, and what is in the file so far."""

    search: int = 0
    after: dict[str, AttributeValue] | None = None
    size: int = 0  # bytes
    documents: int = 0
    expired: int = 0
    others: dict[str, int] = field(default_factory=dict)  # agent type -> how many the filter did not let pass


@dataclass(frozen=True, slots=True)
class State:
    """All that is needed to go on."""

    plan: Plan
    progress: Progress

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        least = self.plan.only.least_confidence
        only = [list(self.plan.only.agents), None if least is None else str(least)]
        plan = {**asdict(self.plan), "only": only}
        return {"version": _STATE_VERSION, "plan": plan, "progress": asdict(self.progress)}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what `to_json` made; raise `StateError` for anything else."""
        try:
            if value["version"] != _STATE_VERSION:
                raise StateError(f"version {value['version']!r} is not known")
            given = value["plan"]
            agents, least = given["only"]
            plan = Plan(
                target=Target(**given["target"]),
                keys=tuple((str(key), str(wanted)) for key, wanted in given["keys"]),
                period=Period(*given["period"]),
                only=Filter(tuple(map(str, agents)), None if least is None else Decimal(least)),
                form=given["form"],
                now=given["now"],
            )
            return cls(plan, Progress(**value["progress"]))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise StateError(str(error)) from None


def copy(client: DynamoDb, state: State) -> Iterator[tuple[bytes, State]]:
    """Yield the bytes of page after page, each with the state in which the file is once they are written."""
    plan, progress = state.plan, state.progress
    if progress == Progress() and plan.form == "csv":
        header = csv_header()
        progress = replace(progress, size=len(header))
        yield header, State(plan, progress)
    line = _LINES[plan.form]
    for number in range(progress.search, len(plan.keys)):
        for page in pages(client, plan.target.table, plan.search(number), after=progress.after):
            alive = [decode_item(item) for item in page.items if plan.now is None or not is_expired(item, plan.now)]
            wanted = [document for document in alive if plan.only.passes(document)]
            others = Counter(str(document.get("agentType")) for document in alive if not plan.only.passes(document))
            written = b"".join(map(line, wanted))
            progress = Progress(
                search=number if page.last is not None else number + 1,
                after=None if page.last is None else dict(page.last),
                size=progress.size + len(written),
                documents=progress.documents + len(wanted),
                expired=progress.expired + len(page.items) - len(alive),
                others=dict(others + Counter(progress.others)),
            )
            yield written, State(plan, progress)
