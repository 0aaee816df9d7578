#!/usr/bin/env python3
"""Carries bytes between two sockets: relay.py LISTEN TARGET, each unix:PATH or HOST:PORT.

Listens until it is killed; a connection whose target cannot be reached is closed. Says
"listening" once it does."""

import asyncio
import socket
import sys

# gRPC gives up a connection on which nothing is acknowledged; so does the leg between two hosts.
UNACKNOWLEDGED_MS = 3000


def split(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


async def carry(reader, writer):
    end = writer.get_extra_info("socket")
    if end.family == socket.AF_INET:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def main(listen, target):
    async def connected(reader, writer):
        try:
            if target.startswith("unix:"):
                there = await asyncio.open_unix_connection(target[len("unix:"):])
            else:
                there = await asyncio.open_connection(*split(target))
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, there[1]), carry(there[0], writer))

    if listen.startswith("unix:"):
        server = await asyncio.start_unix_server(connected, listen[len("unix:"):])
    else:
        server = await asyncio.start_server(connected, *split(listen))
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
