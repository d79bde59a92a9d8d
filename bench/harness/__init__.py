"""The benchmark harness: contenders, workloads, rounds, and what is said about them."""
