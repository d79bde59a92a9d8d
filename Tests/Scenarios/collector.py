"""A receiver of OTLP over HTTP, as JSON: what it gets is read by OpenTelemetry's own definitions."""

import base64
import http.server
import json
import threading

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def parsed(body):
    """The request as OpenTelemetry defines it. OTLP writes ids in hexadecimal where protobuf's JSON has base64; all else is protobuf's own."""
    tree = json.loads(body)
    for resource in tree["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        assert span[name] == span[name].lower()
                        span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(tree, ExportTraceServiceRequest())


class Collector:
    """`with` ends it. `answer` may be set to another status."""

    def __init__(self):
        self.requests, self.bodies, self.status, self.lock = [], [], 200, threading.Lock()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with collector.lock:
                    if collector.status == 200:
                        assert self.headers["Content-Type"] == "application/json" and self.path == "/v1/traces"
                        collector.bodies.append(body)
                        collector.requests.append(parsed(body))
                self.send_response(collector.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self):
        with self.lock:
            return [span for request in self.requests for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def attributes(span):
    return {attribute.key: getattr(attribute.value, attribute.value.WhichOneof("value")) for attribute in span.attributes}
