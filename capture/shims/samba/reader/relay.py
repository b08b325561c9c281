"""Hands captures over to the relay on this machine (docs/captures/protocol.md)."""

import socket
import struct

WITHIN_SECONDS = 10


class RelayUnavailable(Exception):
    """The relay did not acknowledge a capture. It may have stored it or not: hand it over again."""


class Relay:
    """A connection to the relay. Raises RelayUnavailable if no relay listens at `path`."""

    def __init__(self, path):
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.settimeout(WITHIN_SECONDS)
        try:
            self._connection.connect(path)
        except OSError as error:
            self.close()
            raise RelayUnavailable(f"the relay cannot be reached at {path}: {error.strerror or error}") from None

    def hand_over(self, message):
        """
        Returns once the relay has the capture on its disk.
        Raises RelayUnavailable if it did not acknowledge the capture.
        """
        answer = b""
        try:
            self._connection.sendall(message)
            while not answer.endswith(b"\n"):
                more = self._connection.recv(64)
                if not more:
                    break
                answer += more
        except OSError as error:
            raise RelayUnavailable(f"the relay did not answer: {error.strerror or error}") from None
        if answer != b"+\n":
            raise RelayUnavailable(f"the relay did not store a password: {answer.decode('ascii', 'replace').strip()}")

    def close(self):
        self._connection.close()


# The limits of the protocol, in bytes.
LIMITS = {b"a": 1024, b"p": 4096, b"t": 16, b"s": 255, b"f": 4}


def encode(account, secret, time_ms, sequence, hashed):
    """
    Returns the message of a capture, including its length. The caller wipes it.
    Raises ValueError if a value is too long for the protocol.
    """
    fields = [
        (b"a", account.encode()),
        (b"p", secret),
        (b"t", str(time_ms).encode()),
        (b"s", sequence.encode()),
    ]
    if hashed:
        fields.append((b"f", b"hash"))
    if any(len(value) > LIMITS[letter] for letter, value in fields):
        raise ValueError("a value is too long for the relay")
    # The final size is reserved first: an array that grows would leave copies of the password in memory.
    message = bytearray(4 + sum(5 + len(value) for _, value in fields))
    struct.pack_into(">I", message, 0, len(message) - 4)
    at = 4
    for letter, value in fields:
        struct.pack_into(">cI", message, at, letter, len(value))
        message[at + 5 : at + 5 + len(value)] = value
        at += 5 + len(value)
    return message


def wipe(secret):
    secret[:] = bytes(len(secret))
