"""Count the custom metrics that CloudWatch bills for a log in the embedded metric format."""

import json
from collections.abc import Iterable

from recommendation_shared import metrics


def metric_names(lines: Iterable[str]) -> dict[str, int]:
    """Count distinct metrics (combinations of name and dimension values) by what their number grows with.

    `fixed` metrics do not grow in number; there is an `agent` metric for each agent type, and an `incident` metric for
    each agent type of each incident. Specification: Amazon CloudWatch User Guide, "Embedded metric format".
    """
    billed: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    for line in lines:
        document = json.loads(line)
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
            for dimensions in directive["Dimensions"]:
                values = tuple(sorted((name, document[name]) for name in dimensions))
                billed.update((metric["Name"], values) for metric in directive["Metrics"])
    counts = {"fixed": 0, "agent": 0, "incident": 0}
    for _, values in billed:
        names = {name for name, _ in values}
        counts["incident" if metrics.INCIDENT_ID in names else "agent" if metrics.AGENT_TYPE in names else "fixed"] += 1
    return counts
