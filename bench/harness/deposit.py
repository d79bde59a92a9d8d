"""Puts the users' credentials into Claviger over its admin socket: a PUT each, on a few connections at once."""

import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from .fault import Fault


class AdminConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def deposit(path, work, connections=4):
    """Until all of them are acknowledged, and so in force."""
    for _ in range(200):
        if path.exists():
            break
        time.sleep(0.02)
    pairs = work.pairs()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(lambda part: put(path, part), (pairs[start::connections] for start in range(connections))))


def put(path, pairs):
    connection = AdminConnection(path)
    for email, credential in pairs:
        for attempt in range(50):
            try:
                connection.request("PUT", f"/api/v1/projects/acme/credentials/bench?user={email}", json.dumps({"token": credential}),
                                   {"content-type": "application/json"})
                answer = connection.getresponse()
                status, words = answer.status, answer.read().decode()
            except OSError as error:
                status, words = 0, str(error)
                connection.close()
            if status == 204:
                break
            if attempt == 49 or 0 < status < 500:
                raise Fault(f"claviger did not take the credential of {email}: {words}")
            time.sleep(0.1)
    connection.close()
