import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.session import Session

from recommendation_cli.aws.quick_models import load_quickly

# What `recs` calls, and what botocore itself calls for credentials.
_SERVICES = ("dynamodb", "sqs", "sts", "ssm", "s3", "sso", "sso-oidc")


def _session() -> Session:
    session = Session()
    load_quickly(session)
    return session


@pytest.mark.parametrize("service", _SERVICES)
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_a_model_is_what_botocore_loads(service: str, kind: str) -> None:
    """With what botocore adds to it."""
    quick = _session().get_component("data_loader")
    assert quick.load_service_model(service, kind) == Loader().load_service_model(service, kind)


@pytest.mark.parametrize("name", ["endpoints", "partitions", "sdk-default-configuration", "_retry"])
def test_data_about_all_services_is_what_botocore_loads(name: str) -> None:
    """From botocore's own folder."""
    quick = _session().get_component("data_loader")
    data, path = quick.load_data_with_path(name)
    assert data == Loader().load_data(name)
    assert quick.is_builtin_path(path)


def test_a_service_that_does_not_exist_is_unknown() -> None:
    """As without this loader."""
    with pytest.raises(UnknownServiceError, match="no-such-service"):
        _session().create_client("no-such-service", region_name="us-east-1")


@pytest.mark.parametrize("is_compressed", [True, False])
def test_a_model_that_a_user_added_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_compressed: bool
) -> None:
    """AWS_DATA_PATH names the folder, and its models win."""
    model: dict[str, Any] = {"metadata": {"endpointPrefix": "mine"}}
    folder = tmp_path / "dynamodb" / "2112-01-01"
    folder.mkdir(parents=True)
    content = json.dumps(model).encode()
    name, content = ("service-2.json.gz", gzip.compress(content)) if is_compressed else ("service-2.json", content)
    (folder / name).write_bytes(content)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert _session().get_component("data_loader").load_service_model("dynamodb", "service-2") == model
