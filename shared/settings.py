"""Settings from the environment, read once by each composition root."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared import limits


class SettingsError(ValueError):
    """An environment variable is missing or wrong; the message names it, the rule and what to do."""


class Settings(BaseModel):
    """What producer, consumer and CLI are configured with; each field is one environment variable."""

    model_config = ConfigDict(frozen=True)

    queue_url: str | None = Field(None, alias="RECOMMENDATIONS_QUEUE_URL")
    dlq_url: str | None = Field(None, alias="RECOMMENDATIONS_DLQ_URL")
    table_name: str = Field(
        "opx-agent-recommendations", alias="RECOMMENDATIONS_TABLE", pattern=r"^[a-zA-Z0-9_.-]{3,255}$"
    )
    retention_days: int = Field(limits.RETENTION_DAYS, alias="RETENTION_DAYS", ge=1, le=limits.MAX_RETENTION_DAYS)
    # Read here, because botocore knows AWS_DEFAULT_REGION only. Lambda sets both.
    region: str | None = Field(None, alias="AWS_REGION")
    incident_metrics: bool = Field(default=True, alias="INCIDENT_METRICS")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; an empty variable counts as unset.

        Raises `SettingsError`, which names the first variable that is wrong and its rule.
        """
        names = [field.alias for field in cls.model_fields.values() if field.alias is not None]
        try:
            return cls.model_validate({name: environ[name] for name in names if environ.get(name)})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise SettingsError(f"{first['loc'][0]}: {first['msg']}; correct or unset this variable") from None

    def require_queue_url(self) -> str:
        """Return the queue's URL; raise `SettingsError` when it is not set."""
        return _required(self.queue_url, "RECOMMENDATIONS_QUEUE_URL")

    def require_dlq_url(self) -> str:
        """Return the dead-letter queue's URL; raise `SettingsError` when it is not set."""
        return _required(self.dlq_url, "RECOMMENDATIONS_DLQ_URL")


def _required(url: str | None, name: str) -> str:
    if url is None:
        raise SettingsError(f"{name} is not set: set it to the queue's URL (an output of the stack)")
    return url
