"""Handlers that make the consumer's DynamoDB calls visible to X-Ray and OpenTelemetry (docs/deploy.md)."""
