"""Fixtures of the fault tests: the worker's cluster, and a wallet for each test."""

from support.cluster import cluster, cluster_of_worker, kura

__all__ = ["cluster", "cluster_of_worker", "kura"]
