"""A CDK app with an executor that sends its recommendations: `python app.py` writes its templates into cdk.out."""

from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from recommendations import Recommendations

app = App()
stack = Stack(app, "opx-executor")
executor = lambda_.Function(
    stack,
    "Executor",
    runtime=lambda_.Runtime.PYTHON_3_13,
    architecture=lambda_.Architecture.ARM_64,
    handler="executor.handler",
    code=lambda_.Code.from_inline("def handler(event, context):\n    return {}\n"),
)
Recommendations(stack, "Recommendations", {"Stage": "dev", "NameSuffix": "-cdk"}).attach(executor)
app.synth()
