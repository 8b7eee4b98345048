"""The artifacts: the consumer function's zip, and the layer that gives an executor the producer."""

from dataclasses import dataclass

_KIB = 1024  # bytes
_MIB = 1024 * _KIB

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: a function's code with all its layers.
LAMBDA_UNPACKED = 250 * _MIB

# The runtime that the template gives its functions.
FUNCTION_PYTHON = "3.13"


@dataclass(frozen=True)
class Artifact:
    """A zip for Lambda. Limits are in bytes."""

    name: str
    packages: tuple[str, ...]  # folders relative to the project root
    extra: str | None  # in pyproject.toml, with a lock file of the same name; None for pure Python alone, see LAYER
    unpacked_at: str  # the packages' folder in Lambda, which tracebacks name
    compressed_limit: int
    limit_source: str
    prefix: str = ""  # prepended to every name in the zip
    services: frozenset[str] | None = None  # the AWS services it can call; None means all
    uncompressed_limit: int = LAMBDA_UNPACKED


CONSUMER = Artifact(
    name="consumer",
    packages=("consumer/recommendation_consumer", "shared/recommendation_shared"),
    extra="consumer",
    unpacked_at="/var/task",
    compressed_limit=13 * _MIB,
    limit_source="the project's own: a cold start downloads and unpacks the zip",
    services=frozenset({"dynamodb", "s3", "sqs"}),  # s3: the keeper's archive
)

# Source alone: one zip for every architecture and every runtime in LAYER_PYTHONS. The producer uses the executor's own
# botocore. Python finds a layer's packages before the runtime's, so anything more would replace what the executor has.
LAYER = Artifact(
    name="layer",
    packages=("producer/recommendation_producer", "shared/recommendation_shared"),
    extra=None,
    unpacked_at="/opt/python",
    compressed_limit=150 * _KIB,
    limit_source="the project's own: the executor's cold start downloads and unpacks the layer",
    prefix="python/",
)
LAYER_PYTHONS = ("3.11", "3.12", "3.13", "3.14")

ARTIFACTS = {artifact.name: artifact for artifact in (CONSUMER, LAYER)}
