"""Measurements of what partwarden costs: ``make bench``; what came out is in docs/benchmarks.md."""
