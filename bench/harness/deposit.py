"""Puts the users' credentials into Claviger over its admin socket: one connection, one PUT each."""

import http.client
import json
import socket
import time

from .fault import Fault


class AdminConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def deposit(path, work):
    for _ in range(200):
        if path.exists():
            break
        time.sleep(0.02)
    connection = AdminConnection(path)
    for email, credential in work.pairs():
        for attempt in range(50):
            try:
                connection.request("PUT", f"/api/v1/projects/acme/credentials/bench?user={email}", json.dumps({"token": credential}),
                                   {"content-type": "application/json"})
                answer = connection.getresponse()
                words = answer.read().decode()
            except OSError as error:
                answer, words = None, str(error)
                connection.close()
            if answer and answer.status == 204:
                break
            if attempt == 49 or (answer and answer.status < 500):
                raise Fault(f"claviger did not take the credential of {email}: {words}")
            time.sleep(0.1)
    connection.close()
