"""Parameter Store as far as reading goes, with AWS's latency: who stands behind every name, and how often it was asked.

Its arguments: port and milliseconds until an answer; the parameters come on standard input, as one JSON object. `GET /calls` says how many calls
came, and for how many names; `POST /down` and `POST /up` make it fail and work again. Signatures are not checked: the scenarios do that, against moto.
"""

import asyncio
import json
import sys


class Store:
    def __init__(self, values, delay):
        self.values, self.delay = values, delay
        self.calls, self.names, self.is_down = 0, 0, False

    async def serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").lower().split("\r\n")
                length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
                status, answer = await self.answer(lines[0].split(" ")[1], await reader.readexactly(length))
                body = json.dumps(answer).encode()
                writer.write(b"HTTP/1.1 %d X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, path, body):
        if path == "/calls":
            return 200, {"calls": self.calls, "names": self.names}
        if path in ("/down", "/up"):
            self.is_down = path == "/down"
            return 200, {}
        self.calls += 1
        await asyncio.sleep(self.delay)
        if self.is_down:
            return 500, {"__type": "InternalServerError", "message": "down"}
        names = json.loads(body)["Names"]
        self.names += len(names)
        found = [{"Name": name, "Type": "SecureString", "Value": self.values[name], "Version": 1} for name in names if name in self.values]
        return 200, {"Parameters": found, "InvalidParameters": [name for name in names if name not in self.values]}


async def main(port, values, delay):
    store = Store(values, delay)
    server = await asyncio.start_server(store.serve, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    port, delay = int(sys.argv[1]), float(sys.argv[2]) / 1000
    asyncio.run(main(port, json.load(sys.stdin), delay))
