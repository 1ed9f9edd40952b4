"""Kills a drain, a repair or a maintenance anywhere, runs it again, and counts the rows."""
