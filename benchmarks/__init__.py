"""Benchmarks: latency and CPU, memory over time, AWS usage, and how far the pipeline scales. See docs/benchmarks.md."""
