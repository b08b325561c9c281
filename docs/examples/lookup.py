#!/usr/bin/env python3
"""Asks the lookup service: lookup.py URL KEYFILE read APP | ticket APP | redeem APP SENDER | sign-in APP USERID

redeem reads the ticket, and sign-in the password, on stdin. The answer is JSON on stdout."""
import json, sys, urllib.error, urllib.parse, urllib.request

places = {"read": 4, "ticket": 4, "redeem": 5, "sign-in": 5}
if len(sys.argv) < 4 or len(sys.argv) - 1 != places.get(sys.argv[3]):
    print(__doc__.splitlines()[0].replace("Asks the lookup service", "Usage"), file=sys.stderr)
    sys.exit(2)
url, key_file, verb, application, *rest = sys.argv[1:]
given = sys.stdin.buffer.read().decode().rstrip("\n") if rest else ""
body = {"application": application}
path = {"ticket": "tickets", "redeem": "tickets/redeem", "sign-in": "host-sign-ins"}.get(verb)
if verb == "read":
    path, body = "credentials/" + urllib.parse.quote(application, safe=""), None
elif rest:
    names = ("sender", "ticket") if verb == "redeem" else ("userId", "password")
    body.update(zip(names, (rest[0], given)))
try:
    with open(key_file, encoding="ascii") as file:
        key = file.read().strip()
except OSError as error:
    sys.exit(f"The key file {key_file} cannot be read: {error.strerror}")
headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
data = None if body is None else json.dumps(body).encode()
try:
    request = urllib.request.Request(f"{url}/v1/{path}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(answer.read().decode())
except urllib.error.HTTPError as error:
    sys.exit(json.load(error)["detail"])
except OSError as error:
    sys.exit(f"The lookup service cannot be reached: {getattr(error, 'reason', error)}")
