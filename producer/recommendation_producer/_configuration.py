"""What the producer takes from the environment, and what makes a queue URL unusable."""

import re
from collections.abc import Mapping
from typing import Any, Final

from recommendation_producer._loss_log import LOGGER
from recommendation_shared.settings import Settings, SettingsError

# The rest is not the producer's: a mistake in it must not cost a recommendation.
_USED: Final = frozenset({"RECOMMENDATIONS_QUEUE_URL", "AWS_REGION"})
_OPTIONAL: Final = ("RETENTION_DAYS", "RECOMMENDATIONS_METRICS_NAMESPACE")
_URL: Final = re.compile(r"https?://[^\s\"'/]+/[^\s\"']+")
_ENDPOINT: Final = re.compile(r"https?://[^\s\"']+")
_REGION: Final = re.compile(r"https?://sqs(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/")


def options_from(environ: Mapping[str, str]) -> dict[str, Any]:
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


def problem_with(queue_url: str | None, region_name: str | None, endpoint_url: str | None) -> str | None:
    """Return why nothing can be sent to this queue, or None. The text names the setting and never quotes it."""
    if queue_url is None:
        return "RECOMMENDATIONS_QUEUE_URL is not set: set it to the queue's URL (an output of the stack)"
    if not isinstance(queue_url, str) or _URL.fullmatch(queue_url) is None:
        return "RECOMMENDATIONS_QUEUE_URL must be the queue's URL, without blanks or quotes"
    if endpoint_url is not None:
        return (
            None if _ENDPOINT.fullmatch(str(endpoint_url)) else "the endpoint URL must start with http:// or https://"
        )
    named = _REGION.match(queue_url)
    if named is not None and region_name is not None and named[1] != region_name:
        return f"the queue is in {named[1]}, but the client's region is {region_name}"
    return None
