#!/usr/bin/env python3
"""
What `samba-tool user syncpasswords --script=…` runs for each account that changed: hands its password over to the relay.

Samba gives no arguments and no environment, only one entry in LDIF on stdin, and wants a line that begins with
"DONE-EXIT:". Without it, it tells the same entry again later, so nothing is lost while the relay is away.
Needs nothing but Python. The socket is in the file `socket` beside it, which `lockstep relay setup samba` writes.
"""

import base64
import os
import socket
import struct
import sys

WITHIN_SECONDS = 10
PASSWORD = "virtualcleartextutf8"
# Whichever the daemon was told to ask for; a hash only where it was not to see the password.
HASHES = ("virtualcryptsha512", "virtualcryptsha256", "virtualssha")


def attributes_of(ldif):
    """Lower-case name to the first value, as bytes (RFC 2849; lines are unfolded)."""
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
    """Tenths of a microsecond since 1601, as pwdLastSet has them."""
    return int(file_time) // 10_000 - 11_644_473_600_000


def message_of(account, secret):
    """docs/captures/protocol.md. The sequence tells the same change told twice: Samba also tells of other changes."""
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
    # Set before Samba kept what we read, or no password at all: there is nothing to hand over.
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
        print(f"the relay cannot be reached: {error.strerror or 'no answer'}", file=sys.stderr)
        return 1
    if answer != b"+\n":
        print(f"the relay refused: {answer.decode('ascii', 'replace').strip()}", file=sys.stderr)
        return 1
    print("DONE-EXIT: handed over")
    return 0


if __name__ == "__main__":
    sys.exit(main())
