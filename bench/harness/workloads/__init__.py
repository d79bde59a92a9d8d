"""The workloads by name, in the order they are run."""

from . import calls, connections, counted, credentials, events, overload, reload, requests, source, start

ALL = {workload.name: workload for workload in (
    *requests.WORKLOADS, *events.WORKLOADS, *connections.WORKLOADS, *start.WORKLOADS, *credentials.WORKLOADS, *counted.WORKLOADS, *source.WORKLOADS,
    *reload.WORKLOADS, *calls.WORKLOADS, *overload.WORKLOADS)}
