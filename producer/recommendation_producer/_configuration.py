"""What the producer takes from the environment, and what makes a queue URL unusable."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypedDict, get_args

from recommendation_producer._loss_log import LOGGER
from recommendation_producer._redaction import Redact
from recommendation_producer._sending.delivery import ClientFactory
from recommendation_shared.settings import Settings, SettingsError

# The rest is not the producer's: a mistake in it must not cost a recommendation.
_USED: Final = frozenset({"RECOMMENDATIONS_QUEUE_URL", "AWS_REGION"})
_OPTIONAL: Final = ("RETENTION_DAYS", "RECOMMENDATIONS_METRICS_NAMESPACE")
# Patterns are compiled at their first use: that takes a hundred microseconds each, and most hosts need few of them.
_URL: Final = r"https?://[^\s\"'/]+/[^\s\"']+"
_ENDPOINT: Final = r"https?://[^\s\"']+"
# Amazon SQS's own endpoints, the legacy ones and interface VPC endpoints included; the suffixes are those of botocore's
# partitions.
_REGION: Final = r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+"
_BEFORE_REGION: Final = ("sqs", "sqs-fips")
_SUFFIXES: Final = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "cloud.adc-e.uk",
    "api.aws",
    "api.aws.scloud",
    "api.amazonwebservices.com.cn",
    "api.amazonwebservices.eu",
    "api.cloud-aws.adc-e.uk",
)
# botocore's own, the first one that is set (AWS SDKs and Tools Reference Guide, "Service-specific endpoints").
_ENDPOINT_VARIABLES: Final = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL")
_IGNORE: Final = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"

Drain = Literal["before_response", "after_response"]


class Options(TypedDict, total=False):
    """The arguments of the producer's constructor, see there."""

    queue_url: str | None
    region_name: str | None
    endpoint_url: str | None
    max_items: int
    max_bytes: int
    max_age: float
    retention: int | None
    redact: Redact | None
    emit_metrics: bool | None
    metrics_namespace: str | None
    drain: Drain
    clock: Callable[[], float]
    jitter: Callable[[], float] | None
    client_factory: ClientFactory | None


def options_from(environ: Mapping[str, str]) -> Options:
    """Return arguments of the producer's constructor; a wrong optional one is logged and its default is used."""
    used = {name: environ[name] for name in _USED if name in environ}
    for name in _OPTIONAL:
        try:
            Settings.from_env({name: environ.get(name, "")})
            used[name] = environ.get(name, "")
        except SettingsError as error:
            LOGGER.warning("the default is used instead: %s", error)
    settings = Settings.from_env(used)
    return {
        "queue_url": settings.queue_url,
        "region_name": settings.region,
        "retention": settings.retention_days,
        "metrics_namespace": settings.metrics_namespace if used.get("RECOMMENDATIONS_METRICS_NAMESPACE") else None,
    }


def problem_with(
    queue_url: str | None, region_name: str | None, endpoint_url: str | None, environ: Mapping[str, str]
) -> str | None:
    """Return why nothing can be sent to this queue, or None. The text names the setting and never quotes it."""
    if queue_url is None:
        return "RECOMMENDATIONS_QUEUE_URL is not set: set it to the queue's URL (an output of the stack)"
    if not isinstance(queue_url, str) or re.fullmatch(_URL, queue_url) is None:
        return "RECOMMENDATIONS_QUEUE_URL must be the queue's URL, without blanks or quotes"
    setting, endpoint = "the endpoint URL", endpoint_url
    if endpoint is None and environ.get(_IGNORE, "").lower() != "true":
        named_endpoints = ((name, environ[name]) for name in _ENDPOINT_VARIABLES if environ.get(name))
        setting, endpoint = next(named_endpoints, (setting, None))
    if endpoint is not None:
        return None if re.fullmatch(_ENDPOINT, str(endpoint)) else f"{setting} must start with http:// or https://"
    named = region_of(queue_url)
    if named is not None and region_name is not None and named != region_name:
        return f"the queue is in {named}, but the client's region is {region_name}"
    return None


def bound(name: str, value: Any, default: float) -> Any:
    """Return the value of a setting if it is a number from 0; else log this and return the default."""
    if isinstance(value, int | float) and value >= 0:
        return value
    LOGGER.warning("%s must be a number from 0, so %s is used", name, default)
    return default


def drains_after_response(drain: str) -> bool:
    """Return whether the handler drains after its response; log a value that is not known."""
    if drain not in get_args(Drain):
        LOGGER.warning("drain must be one of %s, so %s is used", ", ".join(get_args(Drain)), get_args(Drain)[0])
    return drain == "after_response"


def region_of(queue_url: object) -> str | None:
    """Return the region that an AWS queue URL names, or None."""
    if not isinstance(queue_url, str):
        return None
    host = queue_url.partition("://")[2].partition("/")[0].partition(":")[0]
    labels = host.split(".")
    for index, label in enumerate(labels):
        follows = index == 0 or labels[index - 1] in _BEFORE_REGION
        rest = ".".join(labels[index + 1 :]).removeprefix("queue.").removeprefix("vpce.")
        if follows and (rest in _SUFFIXES or rest.endswith(".gov")) and re.fullmatch(_REGION, label):
            return label
    return None
