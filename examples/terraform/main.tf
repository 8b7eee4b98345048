# The stack of infra/template.yaml in Terraform, and an executor that sends to it.
#
#   make build
#   python -m infra.deploy.package --bucket my-artifacts --folder examples/terraform/packaged
#   terraform apply -var bucket=my-artifacts -var executor_role=OpxPhase6ExecutorLambdaRole

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "bucket" {
  description = "Bucket for the code, in the same region; the one that was packaged for."
  type        = string
}

variable "executor_role" {
  description = "Name of the executor's role."
  type        = string
}

locals {
  packaged = "${path.module}/packaged"
  template = "${local.packaged}/${one(fileset(local.packaged, "*.template"))}"
}

# The names are digests of the contents, so new code is a new object, and makes a new version.
resource "aws_s3_object" "packaged" {
  for_each = fileset(local.packaged, "*.zip")
  bucket   = var.bucket
  key      = "opx-recommendations/${each.value}"
  source   = "${local.packaged}/${each.value}"
}

# In the request itself, which may have 51,200 bytes of template. The template names the objects, so they come first.
resource "aws_cloudformation_stack" "recommendations" {
  depends_on    = [aws_s3_object.packaged]
  name          = "opx-recommendations"
  template_body = file(local.template)
  capabilities  = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
  parameters = {
    Stage            = "dev"
    ExecutorRoleName = var.executor_role
  }
}

output "executor_environment" {
  description = "Environment variables of the executor."
  value       = { RECOMMENDATIONS_QUEUE_URL = aws_cloudformation_stack.recommendations.outputs["QueueUrl"] }
}

output "executor_layer" {
  description = "Layer of the executor."
  value       = aws_cloudformation_stack.recommendations.outputs["ProducerLayerArn"]
}
