"""Settings from the environment, read once by each composition root."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, Self

from recommendation_shared import limits, metrics

# Amazon DynamoDB API Reference, CreateTable: TableName.
_TABLE_NAME: Final = r"[a-zA-Z0-9_.-]{3,255}"
# The template's names, each of which ends with the stack's suffix.
_TABLE: Final = "opx-agent-recommendations"
_REVIEWS_TABLE: Final = "opx-recommendation-reviews"
# Amazon CloudWatch User Guide, "Embedded metric format"; CloudWatch keeps the prefix AWS/ to itself.
_NAMESPACE: Final = r"(?!AWS/)[a-zA-Z0-9._/#-][a-zA-Z0-9._/#:-]{0,254}"
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "1", "yes", "on", "y", "t"), True),
    **dict.fromkeys(("false", "0", "no", "off", "n", "f"), False),
}


IncidentMetrics = Literal["dimension", "property", "none"]
"""Whether an incident's ID is a dimension of metrics, as which each value is billed; only in the log; or neither."""


class SettingsError(ValueError):
    """An environment variable is missing or invalid. The message names the variable, its rule and what to do."""


class Settings(NamedTuple):  # a dataclass costs the producer's host 1.5 ms at import
    """The configuration of producer, consumer and CLI. Each field is read from one environment variable.

    `reviews_table_name` is the table of reviews; None means the one that belongs to the table (see `reviews_table_of`).
    `retention_days` is from 1 to 36,500. `incident_metrics` is about the consumer's metrics.
    `metrics_namespace` is the CloudWatch namespace of this stage's metrics. `archive_bucket` names the bucket to which
    the keeper writes what TTL removes; its variable may hold an ARN.
    """

    queue_url: str | None = None
    dlq_url: str | None = None
    table_name: str = _TABLE
    reviews_table_name: str | None = None
    retention_days: int = limits.RETENTION_DAYS
    # Read here because botocore reads only AWS_DEFAULT_REGION. Lambda sets both.
    region: str | None = None
    incident_metrics: IncidentMetrics = "dimension"
    metrics_namespace: str = metrics.NAMESPACE
    archive_bucket: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings. An empty variable counts as unset.

        Raises `SettingsError` for the first invalid variable.
        """
        values = {}
        for name, (field, read) in _FIELDS.items():
            if environ.get(name):
                try:
                    values[field] = read(environ[name])
                except ValueError as error:
                    raise SettingsError(f"{name}: {error}; correct or unset this variable") from None
        return cls(**values)

    def require_queue_url(self) -> str:
        """Return the queue's URL. Raises `SettingsError` if it is not set."""
        return _required(self.queue_url, "RECOMMENDATIONS_QUEUE_URL")

    def require_dlq_url(self) -> str:
        """Return the dead-letter queue's URL. Raises `SettingsError` if it is not set."""
        return _required(self.dlq_url, "RECOMMENDATIONS_DLQ_URL")


def reviews_table_of(table: str) -> str:
    """Return the name of the reviews table that a stack creates beside a table, with the same suffix.

    A table of another name, such as a restored one, belongs to the stack without a suffix.
    """
    return _REVIEWS_TABLE + (table.removeprefix(_TABLE) if table.startswith(_TABLE) else "")


def suffix_of_reviews(reviews_table: str) -> str | None:
    """Return the suffix of the stack that creates a table of reviews, or None if no stack gives it that name."""
    return reviews_table.removeprefix(_REVIEWS_TABLE) if reviews_table.startswith(_REVIEWS_TABLE) else None


def _table_name(text: str) -> str:
    if re.fullmatch(_TABLE_NAME, text) is None:
        raise ValueError("must be 3 to 255 characters from a-z, A-Z, 0-9, _, . and -")
    return text


def _namespace(text: str) -> str:
    if re.fullmatch(_NAMESPACE, text) is None:
        raise ValueError("must be 1 to 255 characters from a-z, A-Z, 0-9, ., _, /, #, : and -, not beginning with AWS/")
    return text


def _bucket_name(text: str) -> str:
    return text.rpartition(":::")[2]  # of an ARN: the template passes its parameter


def _retention_days(text: str) -> int:
    # ASCII digits only, and few of them, because `int` raises on thousands.
    if re.fullmatch("[0-9]{1,9}", text) is None or not 1 <= int(text) <= limits.MAX_RETENTION_DAYS:
        raise ValueError(f"must be a whole number of days from 1 to {limits.MAX_RETENTION_DAYS}")
    return int(text)


def _incident_metrics(text: str) -> IncidentMetrics:
    if text.lower() == "property":
        return "property"
    try:
        return "dimension" if _BOOLEANS[text.lower()] else "none"
    except KeyError:
        raise ValueError("must be true (a dimension), property or false") from None


_FIELDS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "RECOMMENDATIONS_QUEUE_URL": ("queue_url", str),
    "RECOMMENDATIONS_DLQ_URL": ("dlq_url", str),
    "RECOMMENDATIONS_TABLE": ("table_name", _table_name),
    "RECOMMENDATIONS_REVIEWS_TABLE": ("reviews_table_name", _table_name),
    "RETENTION_DAYS": ("retention_days", _retention_days),
    "AWS_REGION": ("region", str),
    "INCIDENT_METRICS": ("incident_metrics", _incident_metrics),
    "RECOMMENDATIONS_METRICS_NAMESPACE": ("metrics_namespace", _namespace),
    "RECOMMENDATIONS_ARCHIVE_BUCKET": ("archive_bucket", _bucket_name),
}
VARIABLES: Final = frozenset(_FIELDS)  # the names of the environment variables


def _required(url: str | None, name: str) -> str:
    if url is None:
        raise SettingsError(f"{name} is not set: set it to the queue's URL (a stack output)")
    return url
