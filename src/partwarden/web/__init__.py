"""The page: every database at a glance, read from the same survey as the command line's answers."""
