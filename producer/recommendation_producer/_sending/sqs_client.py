"""The SQS client, of the host's own botocore. Only a call thread imports this module: botocore takes 50 ms or more."""

import encodings.idna  # noqa: F401 - else the first name lookup imports it, without the guard against forks
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialResolver, EnvProvider
from botocore.handlers import BUILTIN_HANDLERS
from botocore.loaders import Loader

_DEFAULTS = {"hostname": "{service}.{region}.{dnsSuffix}", "protocols": ["https"], "signatureVersions": ["v4"]}


def open_client(region_name: str | None, endpoint_url: str | None) -> Any:
    """Return a client of a new session, which shares neither credentials nor settings with the host's default session.

    It uses only what every botocore since 1.31 has.
    """
    config = Config(
        connect_timeout=1,  # seconds; botocore's defaults are 60 and 60
        read_timeout=2,
        retries={"total_max_attempts": 2, "mode": "standard"},  # two, as a pooled socket may be dead after a thaw
        tcp_keepalive=True,
        parameter_validation=False,  # the parameters are ours, and checking them takes longer than building them
    )
    session = _lean_session()
    region = region_name or session.get_config_variable("region") or ""
    session.register_component("credential_provider", _credential_provider(region))
    if session.get_config_variable("data_path") is None:  # it may hold other models, or all of them
        has_variant = any(map(session.get_config_variable, ("use_fips_endpoint", "use_dualstack_endpoint")))
        needs_list = has_variant or "fips" in region  # such as the old pseudo-region fips-us-west-2
        session.register_component("data_loader", _SqsOnly() if needs_list else _WithShortEndpointList())
    return session.create_client("sqs", region_name=region_name, endpoint_url=endpoint_url, config=config)


def _lean_session() -> Any:
    """Return a session without a hundred handlers for other services."""
    try:
        needed = [(event, handler) for event, handler in filter(_concerns_sqs, BUILTIN_HANDLERS)]
    except (AttributeError, IndexError, TypeError, ValueError):
        # A handler must come first or last, or the list looks different in this botocore.
        return botocore.session.Session()
    session = botocore.session.Session(include_builtin_handlers=False)
    for event, handler in needed:
        session.register(event, handler)
    return session


def _credential_provider(region: str) -> Any:
    """Return what finds credentials as botocore does, without creating all its providers where the first has some."""
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        return CredentialResolver([EnvProvider()])
    return _PlainSession(region)


class _PlainSession:
    """Finds credentials wherever botocore does: it may need clients of STS or IAM Identity Center for that."""

    def __init__(self, region: str) -> None:
        self._region = region

    def load_credentials(self) -> Any:
        """Return the credentials, or None if there are none."""
        session = botocore.session.Session()
        if self._region:
            session.set_config_variable("region", self._region)
        return session.get_credentials()


def _concerns_sqs(spec: tuple[str, Any]) -> bool:
    kind, _, rest = spec[0].partition(".")
    return kind != "docs" and rest.partition(".")[0] in {"", "*", "sqs"}


class _SqsOnly(Loader):  # type: ignore[misc]  # botocore ships no types
    """Does not look for the models of 400 other services, twice, which takes half the time of creating a client."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's signature
        """Return the one service that is asked for."""
        return ["sqs"]


class _WithShortEndpointList(_SqsOnly):
    """Loads the partitions in place of the list of all services' endpoints: 8 MiB and 40 ms less.

    SQS has endpoint rules of its own, which decide where a request goes and how it is signed (a test compares every
    region). Only for FIPS and dual-stack endpoints does botocore take some part from the list.
    """

    def load_data_with_path(self, name: str) -> Any:
        """Return a document and its path, which only matters for models that a user has added."""
        if name == "endpoints":
            with suppress(KeyError, TypeError, AttributeError):  # a botocore whose partitions look different
                return self._short_list(), ""
        return super().load_data_with_path(name)

    def _short_list(self) -> Mapping[str, Any]:
        return {
            "version": 3,
            "partitions": [
                {
                    "partition": partition["id"],
                    "dnsSuffix": partition["outputs"]["dnsSuffix"],
                    "regionRegex": partition["regionRegex"],
                    "regions": partition["regions"],
                    "defaults": _DEFAULTS,
                    "services": {},
                }
                for partition in super().load_data("partitions")["partitions"]
            ],
        }
