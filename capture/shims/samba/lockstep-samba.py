#!/usr/bin/env python3
"""
Hands a changed password over to the relay. `samba-tool user syncpasswords --script=…` runs it for each changed account.

Samba passes no arguments and no environment, only one entry in LDIF on stdin, and expects a line that begins with
"DONE-EXIT:". Without that line it passes the same entry again later, so nothing is lost while the relay is down.
The script needs only Python. It reads the path of the relay's socket from the file `socket` next to it, which
`lockstep relay setup samba` writes.
"""

import base64
import os
import socket
import struct
import sys

WITHIN_SECONDS = 10
PASSWORD = "virtualcleartextutf8"
# The daemon requests either the password or one of these hashes, depending on its configuration.
HASHES = ("virtualcryptsha512", "virtualcryptsha256", "virtualssha")


def attributes_of(ldif):
    """Parses LDIF (RFC 2849). Returns the first value of each attribute as bytes, by its name in lower case."""
    found = {}
    for line in ldif.replace(b"\n ", b"").split(b"\n"):
        name, colon, value = line.partition(b":")
        if not colon or name.startswith(b"#"):
            continue
        encoded = value.startswith(b":")
        text = value[1:].strip() if encoded else value.strip()
        found.setdefault(name.decode("ascii", "replace").lower(), base64.b64decode(text) if encoded else text)
    return found


def milliseconds(file_time):
    """Converts a value of pwdLastSet, in tenths of a microsecond since 1601, to milliseconds since 1970."""
    return int(file_time) // 10_000 - 11_644_473_600_000


def message_of(account, secret):
    """
    Encodes a message of docs/captures/protocol.md. The sequence identifies the password change, because Samba runs this
    script again for other changes of the same account.
    """
    version = account.get("msds-keyversionnumber", b"0").decode()
    guid = account.get("objectguid", b"").decode("ascii", "replace")
    fields = [
        (b"a", account["dn"]),
        (b"p", account[secret]),
        (b"t", str(milliseconds(account["pwdlastset"])).encode()),
        (b"s", f"{guid}/{version}/{account['pwdlastset'].decode()}".encode()),
    ]
    if secret != PASSWORD:
        fields.append((b"f", b"hash"))
    body = b"".join(letter + struct.pack(">I", len(value)) + value for letter, value in fields)
    return struct.pack(">I", len(body)) + body


def hand_over(path, message):
    """Sends the message to the relay and returns its answer. Raises OSError if the relay does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as relay:
        relay.settimeout(WITHIN_SECONDS)
        relay.connect(path)
        relay.sendall(message)
        answer = b""
        while not answer.endswith(b"\n"):
            more = relay.recv(64)
            if not more:
                break
            answer += more
    return answer


def main():
    account = attributes_of(sys.stdin.buffer.read())
    # The password was set before Samba stored it in this form, or the account has none: there is nothing to hand over.
    secret = next((name for name in (PASSWORD, *HASHES) if name in account), None)
    if secret is None or int(account.get("pwdlastset", b"0")) == 0:
        print("DONE-EXIT: no password")
        return 0
    here = os.path.dirname(os.path.realpath(__file__))
    with open(os.path.join(here, "socket"), encoding="utf-8") as file:
        path = file.read().strip()
    try:
        answer = hand_over(path, message_of(account, secret))
    except OSError as error:
        print(f"the relay cannot be reached at {path}: {error.strerror or 'no answer'}", file=sys.stderr)
        return 1
    if answer != b"+\n":
        print(f"the relay refused the password: {answer.decode('ascii', 'replace').strip()}", file=sys.stderr)
        return 1
    print("DONE-EXIT: handed over")
    return 0


if __name__ == "__main__":
    sys.exit(main())
