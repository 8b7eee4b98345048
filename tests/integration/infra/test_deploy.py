"""What `make deploy` and `make destroy` refuse, and their messages. No real account is involved."""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import botocore.session
import pytest

from infra.build.zips import Built
from infra.deploy import __main__ as deploy
from infra.deploy import account, destroy, sam, stages

MOTO_ACCOUNT = "123456789012"


@pytest.fixture
def moto(moto_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point the commands at moto, and fail if the SAM CLI is run."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server)

    def refuse(*arguments: object, **_: object) -> None:
        raise AssertionError(f"sam was run: {arguments}")

    monkeypatch.setattr(sam, "executable", lambda: Path("sam"))
    monkeypatch.setattr(sam, "run", refuse)
    monkeypatch.setattr(sam, "delete", refuse)
    return moto_server


def failure(capsys: pytest.CaptureFixture[str], main: object, *arguments: str) -> str:
    """Run a command that must fail; return its error message."""
    assert callable(main)
    assert main(list(arguments)) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    return message


def test_each_stage_has_its_own_names() -> None:
    """Two stages may share an account, and role names are global in it."""
    loaded = [stages.load(name, {}) for name in ("dev", "staging", "prod")]
    assert len({stage.stack_name for stage in loaded}) == 3
    assert len({name for stage in loaded for name in stage.table_names}) == 6
    assert [stage.parameters["Stage"] for stage in loaded] == ["dev", "staging", "prod"]
    assert loaded[2].table_names == ("opx-agent-recommendations", "opx-recommendation-reviews")


def test_given_parameters_override_the_stages_own() -> None:
    """One of them decides which processor to build for."""
    stage = stages.load("dev", stages.parse_parameters(["Architecture=x86_64", "AlarmTopicArn=arn:aws:sns:a:1:b=c"]))
    assert stage.platform == "x86_64"
    assert stage.parameters["AlarmTopicArn"] == "arn:aws:sns:a:1:b=c"
    assert stage.parameters["Stage"] == "dev"
    assert stages.load("dev", {}).platform == "arm64"


@pytest.mark.parametrize("command", [deploy.main, destroy.main])
def test_an_unknown_stage_is_reported_with_the_known_ones(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    """A typo changes nothing."""
    assert "there is no stage 'production'; samconfig.toml has dev, staging, prod" in failure(
        capsys, command, "production"
    )


def test_an_architecture_that_lambda_lacks_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """It is checked before the build, because the zip must match it."""
    message = failure(capsys, deploy.main, "dev", "--parameter", "Architecture=local")
    assert "Architecture must be arm64 or x86_64" in message


def test_an_invalid_parameter_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """It is checked before anything is built."""
    assert "'BatchSize' is not a parameter; write NAME=VALUE" in failure(
        capsys, deploy.main, "dev", "--parameter", "BatchSize"
    )


@pytest.mark.parametrize("stage", ["staging", "prod"])
def test_other_stages_are_deployed_only_to_a_named_account(stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever credentials happen to be set must not choose the account."""
    assert "add ACCOUNT=" in failure(capsys, deploy.main, stage, "--confirm", stage)


@pytest.mark.parametrize("command", [deploy.main, destroy.main])
@pytest.mark.usefixtures("moto")
def test_the_wrong_account_is_not_changed(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names both accounts."""
    message = failure(capsys, command, "dev", "--confirm", "dev", "--account", "999999999999")
    assert f"belong to account {MOTO_ACCOUNT}, not to 999999999999" in message


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no AWS credentials were found. Log in"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "no AWS credentials were found. Log in"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "no region is set. Set AWS_REGION"),
        ({"AWS_PROFILE": "nobody"}, "nobody) could not be found. List the profiles with: aws configure list-profiles"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "could not determine the AWS account"),
    ],
    ids=["no credentials", "no secret key", "no region", "no such profile", "no network"],
)
@pytest.mark.usefixtures("moto")
def test_credentials_that_do_not_work_are_explained(
    environment: Mapping[str, str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what to do."""
    for name, value in environment.items():
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name)
    monkeypatch.setattr(
        account, "_CONFIG", account._CONFIG.merge(botocore.config.Config(retries={"total_max_attempts": 1}))
    )
    assert message in failure(capsys, deploy.main, "dev", "--confirm", "dev")


def test_a_missing_sam_cli_is_reported_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is checked before anything is asked or built."""
    monkeypatch.setattr("sys.prefix", str(tmp_path / "venv"))
    assert f"make {tmp_path}/venv-sam/.ready" in failure(capsys, deploy.main, "dev", "--confirm", "dev")


@pytest.mark.parametrize("command", [deploy.main, destroy.main])
@pytest.mark.usefixtures("moto")
def test_without_a_terminal_the_stage_must_be_confirmed_by_name(
    command: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline must not hang on a question, and `CONFIRM=yes` could be meant for another stage."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert "add CONFIRM=dev" in failure(capsys, command, "dev")
    assert "CONFIRM is 'yes', but the stage is 'dev'" in failure(capsys, command, "dev", "--confirm", "yes")


@pytest.mark.parametrize(
    ("confirmed", "option"), [([], "--confirm-changeset"), (["--confirm", "dev"], "--no-confirm-changeset")]
)
@pytest.mark.usefixtures("moto")
def test_the_change_set_is_confirmed_by_a_person_or_in_advance(
    confirmed: list[str], option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The zip is built and reported first; every parameter reaches SAM unchanged."""
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(sam, "run", lambda *arguments, **_: ran.append(arguments))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    built = Built("c.zip", "arm64", "3.13", "", "digest", 1, 1, None)
    monkeypatch.setattr(deploy, "build", lambda platform: replace(built, platform=platform))
    monkeypatch.setattr(deploy, "build_layer", lambda: built)
    given = ["--parameter", "CostCenter=team a", "--parameter", "AlarmEmail="]
    assert deploy.main(["dev", *confirmed, *given]) == 0
    build_arguments, deploy_arguments = ran
    assert build_arguments[0] == "build"
    assert deploy_arguments[0] == "deploy"
    assert option in deploy_arguments
    assert {'CostCenter="team a"', 'AlarmEmail=""', 'Stage="dev"', 'Architecture="arm64"'} <= set(deploy_arguments)
    assert "c.zip for arm64, sha256 digest" in capsys.readouterr().out


@pytest.mark.parametrize("stage", ["staging", "prod"])
def test_no_stage_but_dev_is_destroyed(stage: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Confirming it makes no difference."""
    message = failure(capsys, destroy.main, stage, "--confirm", stage, "--account", MOTO_ACCOUNT)
    assert f"{stage} holds records that must be kept" in message
    assert "docs/deploy.md" in message


def test_a_stack_of_another_stage_is_not_destroyed_whatever_its_name(
    moto: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody may have deployed it by hand with production's parameters."""
    cloudformation = botocore.session.Session().create_client("cloudformation", endpoint_url=moto)
    template = (
        '{"Parameters": {"Stage": {"Type": "String"}},'
        ' "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"Stage": {"Value": {"Ref": "Stage"}}}}'
    )
    name = stages.load("dev", {}).stack_name
    cloudformation.create_stack(
        StackName=name, TemplateBody=template, Parameters=[{"ParameterKey": "Stage", "ParameterValue": "prod"}]
    )
    message = failure(capsys, destroy.main, "dev", "--confirm", "dev")
    cloudformation.delete_stack(StackName=name)
    assert f"the stack {name} is of stage prod; nothing was deleted" in message


@pytest.mark.usefixtures("moto")
def test_a_stage_that_does_not_exist_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the account that was searched."""
    assert destroy.main(["dev", "--confirm", "dev"]) == 0
    printed = capsys.readouterr().out
    assert MOTO_ACCOUNT in printed
    assert "nothing to do" in printed


@pytest.mark.usefixtures("moto")
def test_tables_are_deleted_only_after_confirmation(
    moto: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only typing the stage's name deletes the tables that its stack left behind."""
    dynamodb = botocore.session.Session().create_client("dynamodb", endpoint_url=moto)
    tables = set(stages.load("dev", {}).table_names)
    for table in tables:
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert "not confirmed; nothing was deleted" in failure(capsys, destroy.main, "dev")
    assert tables <= set(dynamodb.list_tables()["TableNames"])
    monkeypatch.setattr("builtins.input", lambda _: "dev")
    assert destroy.main(["dev"]) == 0
    assert not tables & set(dynamodb.list_tables()["TableNames"])
