"""The alerting rules, as Prometheus evaluates them: each fires at what it is for, and not at what looks like it."""

import json
import re
import shutil
import subprocess

import pytest
from processes import ROOT

RULES = ROOT / "Sources/claviger/Documentation.docc/Resources/alerts.yaml"
TARGET = 'instance="gw",job="claviger"'
CRM = f'{TARGET},project="acme",server="crm"'


def requests(refusal, status="5xx"):
    return f'claviger_requests_total{{{CRM},status="{status}",refusal="{refusal}"}}'


def metric(name, **labels):
    more = "".join(f',{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{TARGET}{more}}}"


# Samples are 15 s apart, and 80 of them are twenty minutes. `0+3x80`: three more each time; `_x40`: no series yet; `7x80`: as it is.
GROWING, STILL = "0+3x80", "7x80"
FIRES = {
    "ClavigerDown": {metric("up"): "0x80"},
    "ClavigerReloadRefused": {metric("claviger_last_reload_done"): "0x80"},
    # The clock of these rules begins at 0.
    "ClavigerCertificateEnds": {metric("claviger_certificate_expiry_timestamp_seconds", listener="0.0.0.0:8443"): f"{13 * 86400}x80"},
    "ClavigerStoreClosedOff": {metric("claviger_store_circuit_state"): "2x80"},
    "ClavigerStoreFailing": {metric("claviger_store_failures_total"): GROWING},
    "ClavigerStoreThrottled": {metric("claviger_store_calls_total", operation="read", outcome="throttled"): GROWING},
    "ClavigerServingPastTime": {metric("claviger_cache_lookups_total", result="stale"): GROWING},
    "ClavigerGrantsUnsaved": {metric("claviger_oauth_unsaved_grants"): "2x80"},
    "ClavigerTokensFailing": {metric("claviger_oauth_token_requests_total", result="unanswered"): GROWING},
    "ClavigerServerFailing": {requests(""): "0+30x80", requests("upstream_timeout"): GROWING},
    "ClavigerCredentialsRejected": {requests("credential_rejected", "4xx"): "0+6x80"},
    "ClavigerCredentialsInvalid": {requests("credential_invalid"): GROWING},
    "ClavigerStrangers": {metric("claviger_requests_total", project="", server="", status="4xx", refusal="unauthenticated"): "0+30x80"},
    "ClavigerConnectionsRefused": {metric("claviger_downstream_connections_total", result="refused"): GROWING},
    "ClavigerConnectionsWait": {metric("claviger_accept_paused"): "1x80"},
    "ClavigerOverloaded": {metric("claviger_requests_total", project="", server="", status="5xx", refusal="overloaded"): GROWING},
    "ClavigerRecordsDropped": {
        metric("claviger_access_records_total", result="dropped"): GROWING, metric("claviger_log_lines_dropped_total", kind="audit"): STILL},
}
QUIET = {
    "ClavigerDown": {metric("up"): "1x80"},
    "ClavigerReloadRefused": {metric("claviger_last_reload_done"): "1x80"},
    "ClavigerCertificateEnds": {metric("claviger_certificate_expiry_timestamp_seconds", listener="0.0.0.0:8443"): f"{15 * 86400}x80"},
    "ClavigerStoreClosedOff": {metric("claviger_store_circuit_state"): "0x60 2 1 0x18"},
    "ClavigerStoreFailing": {metric("claviger_store_failures_total"): STILL},
    "ClavigerStoreThrottled": {metric("claviger_store_calls_total", operation="read", outcome="ok"): GROWING},
    "ClavigerServingPastTime": {metric("claviger_cache_lookups_total", result="hit"): GROWING},
    "ClavigerGrantsUnsaved": {metric("claviger_oauth_unsaved_grants"): "0x80"},
    "ClavigerTokensFailing": {metric("claviger_oauth_token_requests_total", result="ended"): GROWING},
    "ClavigerServerFailing": {requests(""): "0+100x80", requests("upstream_timeout"): GROWING},
    "ClavigerCredentialsRejected": {requests("credential_rejected", "4xx"): STILL},
    "ClavigerCredentialsInvalid": {requests("credential_invalid"): STILL, requests(""): GROWING},
    "ClavigerStrangers": {metric("claviger_requests_total", project="", server="", status="4xx", refusal="not_found"): "0+30x80"},
    "ClavigerConnectionsRefused": {metric("claviger_downstream_connections_total", result="accepted"): GROWING},
    "ClavigerConnectionsWait": {metric("claviger_accept_paused"): "0x80"},
    "ClavigerOverloaded": {metric("claviger_requests_total", project="", server="", status="4xx", refusal="rate_limited"): GROWING},
    "ClavigerRecordsDropped": {
        metric("claviger_access_records_total", result="held_back"): GROWING, metric("claviger_access_records_total", result="dropped"): STILL,
        metric("claviger_log_lines_dropped_total", kind="audit"): STILL},
}


def promtool(*arguments):
    assert shutil.which("promtool"), "promtool is missing: .make/need prometheus"
    return subprocess.run(["promtool", *map(str, arguments)], text=True, capture_output=True, timeout=60)


def hold(tmp_path, alert, series, fires):
    """Asserts whether `alert` fires after twenty minutes of these samples."""
    asked = {"expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})', "eval_time": "20m",
             "exp_samples": [{"labels": "{}", "value": 1}] if fires else []}
    test = {"rule_files": [str(RULES)], "evaluation_interval": "15s", "tests": [
        {"interval": "15s", "input_series": [{"series": name, "values": values} for name, values in series.items()], "promql_expr_test": [asked]}]}
    file = tmp_path / f"{alert}.yaml"
    file.write_text(json.dumps(test))
    done = promtool("test", "rules", file)
    assert done.returncode == 0, (alert, series, done.stdout, done.stderr)


def test_prometheus_takes_the_rules():
    done = promtool("check", "rules", RULES)
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_every_alert_is_tried():
    assert list(FIRES) == list(QUIET) == re.findall(r"- alert: (\w+)", RULES.read_text())


@pytest.mark.parametrize("alert", FIRES)
def test_an_alert_fires_at_what_it_is_for(tmp_path, alert):
    hold(tmp_path, alert, FIRES[alert], True)


@pytest.mark.parametrize("alert", QUIET)
def test_an_alert_does_not_fire_without(tmp_path, alert):
    hold(tmp_path, alert, QUIET[alert], False)


def test_the_first_credential_that_cannot_be_injected_is_seen(tmp_path):
    """Its series begins with it, and stays as it is."""
    hold(tmp_path, "ClavigerCredentialsInvalid", {requests(""): "0+3x80", requests("credential_invalid"): "_x60 1x20"}, True)
    # Long ago, it is no news.
    hold(tmp_path, "ClavigerCredentialsInvalid", {requests("credential_invalid"): "_x5 1x75"}, False)


def test_calls_that_try_the_store_do_not_hide_that_it_is_closed_off(tmp_path):
    hold(tmp_path, "ClavigerStoreClosedOff", {metric("claviger_store_circuit_state"): " ".join(["2 2 1"] * 27)}, True)


def test_rows_of_the_audit_that_the_log_loses_are_seen(tmp_path):
    hold(tmp_path, "ClavigerRecordsDropped", {
        metric("claviger_access_records_total", result="dropped"): "0x80", metric("claviger_log_lines_dropped_total", kind="audit"): GROWING}, True)


def test_a_server_whose_failures_are_its_first_calls_is_seen(tmp_path):
    hold(tmp_path, "ClavigerServerFailing", {requests("upstream_unreachable"): "_x40 1+1x40"}, True)


def test_an_overload_that_begins_a_series_is_seen(tmp_path):
    hold(tmp_path, "ClavigerOverloaded", {requests("overloaded"): "_x40 5+5x40"}, True)
