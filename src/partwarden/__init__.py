"""Keeps interval-partitioned PostgreSQL tables maintained, and makes sure that a human hears of it when they are not."""

__version__ = "0.1.0"
