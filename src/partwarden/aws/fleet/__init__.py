"""Central monitoring of many clusters: a dispatcher, a queue, workers that run the checks, and incidents in a table."""
