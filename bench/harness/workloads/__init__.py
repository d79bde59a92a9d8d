"""The workloads by name, in the order they are run, and the places of those the gateway is not ready for."""

from . import calls, connections, counted, credentials, events, requests, source, start

ALL = {workload.name: workload for workload in (
    *requests.WORKLOADS, *events.WORKLOADS, *connections.WORKLOADS, *start.WORKLOADS, *credentials.WORKLOADS, *counted.WORKLOADS, *source.WORKLOADS,
    *calls.WORKLOADS)}

NOT_YET = {
    "tls": "TLS on a listener",
    "reload": "a reload of the configuration while it serves",
}
