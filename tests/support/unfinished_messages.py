#!/usr/bin/env python3
"""Sends gRPC messages that lack their last byte, and waits.

usage: unfinished_messages.py HOST:PORT METHOD STREAMS BYTES

All on one connection without TLS, as fast as the server's flow control lets it; ends 3 seconds after
the server takes no more, and says how much it took.
"""
import socket
import struct
import sys
import threading
import time

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
INITIAL_WINDOW_SIZE = 4
FRAME = 16384


class Client:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.sending = threading.Lock()
        self.state = threading.Condition()
        self.connection_window, self.initial_window = 65535, 65535
        self.windows, self.ended = {}, set()
        with self.sending:
            self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(SETTINGS, 0, 0, b"")
        threading.Thread(target=self.read, daemon=True).start()

    def send(self, kind, flags, stream, payload):
        head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream)
        with self.sending:
            self.socket.sendall(head + payload)

    def read(self):
        data = b""
        while True:
            try:
                more = self.socket.recv(65536)
            except OSError:
                more = b""
            if not more:
                with self.state:
                    self.ended.update(self.windows)
                    self.state.notify_all()
                return
            data += more
            while len(data) >= 9:
                length = int.from_bytes(data[:3], "big")
                if len(data) < 9 + length:
                    break
                kind, flags = data[3], data[4]
                stream = struct.unpack(">I", data[5:9])[0] & 0x7FFFFFFF
                self.take(kind, flags, stream, data[9 : 9 + length])
                data = data[9 + length :]

    def take(self, kind, flags, stream, payload):
        with self.state:
            if kind == WINDOW_UPDATE:
                more = struct.unpack(">I", payload)[0]
                if stream == 0:
                    self.connection_window += more
                elif stream in self.windows:
                    self.windows[stream] += more
            elif kind == SETTINGS and not flags & ACK:
                for at in range(0, len(payload), 6):
                    key, value = struct.unpack(">HI", payload[at : at + 6])
                    if key == INITIAL_WINDOW_SIZE:
                        for known in self.windows:
                            self.windows[known] += value - self.initial_window
                        self.initial_window = value
                self.send(SETTINGS, ACK, 0, b"")
            elif kind == PING and not flags & ACK:
                self.send(PING, ACK, 0, payload)
            elif kind == RST_STREAM or (kind == HEADERS and flags & END_STREAM):
                self.ended.add(stream)
            self.state.notify_all()

    def open(self, stream, method, size):
        def literal(key, value):
            return b"\0" + bytes([len(key)]) + key + bytes([len(value)]) + value

        headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", method.encode()),
                   (b":authority", b"test"), (b"te", b"trailers"),
                   (b"content-type", b"application/grpc")]
        with self.state:
            self.windows[stream] = self.initial_window - 5
            self.connection_window -= 5
        self.send(HEADERS, END_HEADERS, stream, b"".join(literal(*pair) for pair in headers))
        self.send(DATA, 0, stream, b"\0" + struct.pack(">I", size))  # not compressed, its length

    # At most a frame; how many bytes went.
    def give(self, stream, size):
        with self.state:
            if stream in self.ended:
                return 0
            size = max(0, min(size, FRAME, self.windows[stream], self.connection_window))
            self.windows[stream] -= size
            self.connection_window -= size
        if size:
            self.send(DATA, 0, stream, bytes(size))
        return size


def main():
    address, method, count, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    client = Client(address)
    left = {1 + 2 * i: size - 1 for i in range(count)}
    for stream in left:
        client.open(stream, method, size)
    last, end = time.monotonic(), time.monotonic() + 60
    try:
        while time.monotonic() < min(last + 3, end):
            went = 0
            for stream in left:
                given = client.give(stream, left[stream])
                left[stream] -= given
                went += given
            if went:
                last = time.monotonic()
            else:
                with client.state:
                    client.state.wait(0.1)
    except OSError:
        pass  # the server has closed the connection
    sent = count * (size - 1) - sum(left.values())
    print(f"{sent >> 20} MiB taken, {len(client.ended)} of {count} streams ended")


main()
