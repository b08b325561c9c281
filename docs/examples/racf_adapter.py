#!/usr/bin/env python3
"""An adapter for a system like RACF, simulated by a file: passwords of 8 upper-case characters, changed with old and new.
racf_adapter.py URL KEYFILE SOURCE FILE                   receives until it is stopped
racf_adapter.py URL KEYFILE SOURCE FILE ACCOUNT           changes the password in the file and sends the change
The second form reads the old password and the new one from stdin, a line each. The file has a line "ACCOUNT PASSWORD"
for each account; create it before the adapter starts."""
import json, os, re, signal, sys, time, urllib.error, urllib.request, uuid

os.umask(0o077)  # the file of passwords is for this user only
url, key_file, source, racf = sys.argv[1:5]
with open(key_file, encoding="ascii") as file:
    key = file.read().strip()

def call(name, body):
    """Repeats a call until the API answers it, and returns the HTTP status and the answer."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "idempotency-key": str(uuid.uuid4())}
    address = f"{url.rstrip('/')}/v1/adapters/{source}/{name}"
    wait = 1
    while True:
        try:
            request = urllib.request.Request(address, json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=90) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                return error.code, json.load(error)
        except OSError:
            pass  # the API cannot be reached, or the connection was lost
        time.sleep(wait)
        wait = min(2 * wait, 30)

class Refused(Exception):
    """A refusal of RACF: the reason for Lockstep, and the code of RACF."""

def change(account, old, new):
    """Changes a password as RACF does: with old and new, and never twice to the same."""
    with open(racf, encoding="ascii") as file:
        passwords = dict(line.split() for line in file)
    if account not in passwords:
        raise Refused("no_account", "ICH408I")
    if passwords[account] == new:
        return "already_current"  # the message was delivered before, and its acknowledgement was lost
    if len(new) > 8:
        raise Refused("policy_too_long", "ICH408I.FORMAT")
    if not re.fullmatch(r"[A-Z0-9@#$]+", new):
        raise Refused("character_not_supported", "ICH408I.FORMAT")
    if old is None or passwords[account] != old:
        raise Refused("old_password_refused", "ICH408I.OLDPASS")
    passwords[account] = new
    with open(f"{racf}.new", "w", encoding="ascii") as file:
        file.writelines(f"{name} {word}\n" for name, word in passwords.items())
    os.replace(f"{racf}.new", racf)
    return "applied"

def acknowledgement(message):
    try:
        return {"result": change(message["account"].upper(), message["oldPassword"], message["password"])}
    except Refused as refused:
        return {"result": "rejected", "reason": refused.args[0], "code": refused.args[1]}
    except OSError as error:
        print(f"{racf} cannot be used: {error.strerror}", file=sys.stderr, flush=True)
        return {"result": "retry", "reason": "unreachable"}

def receive():
    # Ends after five seconds at most, also while the API cannot be reached.
    signal.signal(signal.SIGTERM, lambda *_: (signal.alarm(5), sys.exit(call("status", {"status": "offline"}) and 0)))
    call("initialise", {})
    while True:
        status, answer = call("receive", {"waitSeconds": 60})
        if answer.get("code") == "adapter_not_initialised":  # the API was restarted
            call("initialise", {})
        elif answer.get("code") == "adapter_disabled":  # it works again once an operator enables it
            time.sleep(10)
        elif status != 200:
            sys.exit(answer.get("detail"))
        for received in answer.get("messages", []):
            message = received["message"]
            done = acknowledgement(message)
            _, completed = call("complete", {"trackingId": message["trackingId"], **done})
            print(f"{message['account']}: {done['result']} {done.get('reason', '')} {completed.get('effect')}", flush=True)

if not os.path.isfile(racf):
    sys.exit(f'{racf} does not exist. Create it with a line "ACCOUNT PASSWORD" for each account.')
if len(sys.argv) > 5:
    lines = sys.stdin.read().splitlines()
    if len(lines) != 2:
        sys.exit("Give two lines on stdin: the old password, then the new one.")
    old, new = lines
    try:
        change(sys.argv[5].upper(), old, new.upper())
    except Refused as refused:
        sys.exit(f"RACF refuses the change: {refused.args[1]}")
    print(*call("send", {"account": sys.argv[5].upper(), "password": new.upper(), "oldPassword": old}))
else:
    receive()
