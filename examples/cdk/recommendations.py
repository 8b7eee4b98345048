"""`infra/template.yaml` in a CDK app, unchanged, and what an executor needs from it."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sam as sam
from aws_cdk.cloudformation_include import CfnInclude
from constructs import Construct

PROJECT = Path(__file__).parents[2]


class Recommendations(Construct):
    """The queue, the table and everything between them. `parameters` are the template's (docs/parameters.md).

    Run `make build` before: it writes build/consumer.zip and build/layer.zip, which become assets of the app. Their
    names have a digest of their contents, so new code makes a new version of the functions and of the layer.
    """

    def __init__(self, scope: Construct, id_: str, parameters: Mapping[str, str]) -> None:
        super().__init__(scope, id_)
        self._template = CfnInclude(
            self, "Template", template_file=str(PROJECT / "infra" / "template.yaml"), parameters=dict(parameters)
        )
        code = assets.Asset(self, "Code", path=str(PROJECT / "build" / "consumer.zip"))
        for name in ("Consumer", "Keeper"):
            function = cast("sam.CfnFunction", self._template.get_resource(name))
            function.code_uri = sam.CfnFunction.S3LocationProperty(bucket=code.s3_bucket_name, key=code.s3_object_key)
        layer = assets.Asset(self, "Layer", path=str(PROJECT / "build" / "layer.zip"))
        version = cast("sam.CfnLayerVersion", self._template.get_resource("ProducerLayer"))
        version.content_uri = sam.CfnLayerVersion.S3LocationProperty(
            bucket=layer.s3_bucket_name, key=layer.s3_object_key
        )

    def attach(self, executor: lambda_.Function) -> None:
        """Give an executor the layer, the queue's URL and the policy to send to it."""
        executor.add_layers(
            lambda_.LayerVersion.from_layer_version_arn(
                self, "Producer", self._template.get_resource("ProducerLayer").ref
            )
        )
        executor.add_environment("RECOMMENDATIONS_QUEUE_URL", self._template.get_resource("Queue").ref)
        policy = self._template.get_resource("ExecutorPolicy").ref
        role = cast("iam.IRole", executor.role)  # only an imported function may have none
        role.add_managed_policy(iam.ManagedPolicy.from_managed_policy_arn(self, "Send", policy))
