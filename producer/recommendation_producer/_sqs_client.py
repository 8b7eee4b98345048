"""The SQS client, of the host's own botocore. Only a call thread imports this module: botocore takes 50 ms or more."""

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader


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
    session = botocore.session.Session()
    session.register_component("data_loader", _SmallLoader())
    return session.create_client("sqs", region_name=region_name, endpoint_url=endpoint_url, config=config)


class _SmallLoader(Loader):  # type: ignore[misc]  # botocore ships no types
    """Loads everything but the list of all services' endpoints, which takes 7 MiB and 25 ms.

    It is there for clients without endpoint rules of their own. SQS has had them since botocore 1.29, and a test
    compares where the requests go and how they are signed.
    """

    def load_data(self, name: str) -> Any:
        """Return a document of botocore's data."""
        return {"version": 3, "partitions": []} if name == "endpoints" else super().load_data(name)

    def load_data_with_path(self, name: str) -> Any:
        """Return a document of botocore's data, and the path it came from."""
        return (self.load_data(name), "") if name == "endpoints" else super().load_data_with_path(name)
