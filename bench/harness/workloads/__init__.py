"""The workloads by name, in the order they are run, and the places of those the gateway is not ready for."""

from . import calls, connections, counted, events, requests, source, start

ALL = {workload.name: workload for workload in (
    *requests.WORKLOADS, *events.WORKLOADS, *connections.WORKLOADS, *start.WORKLOADS, *counted.WORKLOADS, *source.WORKLOADS,
    *calls.WORKLOADS)}

NOT_YET = {
    "tls": "TLS on a listener",
    "first-requests": "a credential store that can be made slow (Parameter Store)",
    "reload": "a reload of the configuration while it serves",
}
