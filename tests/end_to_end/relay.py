#!/usr/bin/env python3
"""Carries bytes between two sockets: relay.py LISTEN TARGET [RATE [CUT]].

LISTEN and TARGET are unix:PATH or HOST:PORT. RATE: bytes a second that go to TARGET, on all
connections together. CUT: a connection is closed once so many bytes have gone to TARGET on it.

Listens until it is killed; a connection whose target cannot be reached is closed. Says
"listening" once it does, and "carried N" for each MB that has gone to TARGET."""

import asyncio
import socket
import sys

# gRPC gives up a connection on which nothing is acknowledged; so does the leg between two hosts.
UNACKNOWLEDGED_MS = 3000


def split(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


class Line:
    """What all connections to the target share."""

    def __init__(self, rate, cut):
        self.rate, self.cut = rate, cut
        self.free, self.carried = 0.0, 0

    def piece(self):
        return 1 << 16 if self.rate is None else max(1, min(1 << 16, self.rate // 20))

    async def pass_on(self, size):
        before, self.carried = self.carried, self.carried + size
        if before // 1_000_000 != self.carried // 1_000_000:
            print("carried", self.carried, flush=True)
        if self.rate is not None:
            now = asyncio.get_running_loop().time()
            self.free = max(self.free, now) + size / self.rate
            await asyncio.sleep(self.free - now)


async def carry(reader, writer, line=None):
    end = writer.get_extra_info("socket")
    if end.family == socket.AF_INET:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    carried = 0
    try:
        while data := await reader.read(line.piece() if line else 1 << 16):
            if line:
                await line.pass_on(len(data))
                carried += len(data)
            writer.write(data)
            await writer.drain()
            if line and line.cut is not None and carried > line.cut:
                break
    except OSError:
        pass
    writer.close()


async def main(listen, target, rate=None, cut=None):
    line = Line(rate and int(rate), cut and int(cut))

    async def connected(reader, writer):
        try:
            # Little waits here for its turn: a line holds next to nothing.
            if target.startswith("unix:"):
                there = await asyncio.open_unix_connection(target[len("unix:"):])
            else:
                there = await asyncio.open_connection(*split(target))
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, there[1], line), carry(there[0], writer))
        writer.close()

    if listen.startswith("unix:"):
        server = await asyncio.start_unix_server(connected, listen[len("unix:"):], limit=1 << 14)
    else:
        server = await asyncio.start_server(connected, *split(listen), limit=1 << 14)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
