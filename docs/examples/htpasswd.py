#!/usr/bin/env python3
"""A Lockstep source of kind "command": sets and verifies passwords in an htpasswd file of nginx or Apache. Usage: htpasswd.py FILE"""
import ctypes, ctypes.util, fcntl, hmac, json, os, secrets, shutil, sys

file, library = sys.argv[1], ctypes.CDLL(ctypes.util.find_library("crypt"))
library.crypt.restype = ctypes.c_char_p


def crypt(password, setting):  # crypt(3), which nginx and Apache use as well
    return (library.crypt(password.encode(), setting.encode()) or b"*").decode()


def save(hashes):
    with open(os.open(file + ".new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as new:
        new.writelines(f"{name}:{stored}\n" for name, stored in hashes.items())
        new.flush()
        os.fsync(new.fileno())
    shutil.copystat(file, file + ".new")
    os.chown(file + ".new", os.stat(file).st_uid, os.stat(file).st_gid)
    os.replace(file + ".new", file)  # atomic, even if this program is killed


def answer(operation, hashes, account={}, password="", match={}, cursor=None, pageSize=0, **_):
    name = account.get("name")
    if operation == "setPassword":
        hashed = crypt(password, "$6$" + secrets.token_hex(8))
        if name not in hashes:
            return {"result": "rejected", "reason": "no_account"}
        if "\0" in password:
            return {"result": "rejected", "reason": "character_not_supported"}
        if hashed.startswith("*"):
            return {"result": "rejected", "reason": "policy_too_long"}
        save({**hashes, name: hashed})
        return {"result": "applied"}
    if operation == "verify":
        if name not in hashes:
            return {"result": "inconclusive", "reason": "no_account"}
        same = hmac.compare_digest(crypt(password, hashes[name]), hashes[name])
        return {"result": "holds", "proof": "hash"} if same else {"result": "differs"}
    if operation == "find":
        return {"result": "found", "accounts": [found(n) for n in hashes if match == {"name": n}]}
    if operation == "list":
        page = sorted(n for n in hashes if n > (cursor or ""))[:pageSize]
        last = page[-1] if len(page) == pageSize else None
        return {"result": "page", "accounts": [found(n) for n in page], "cursor": last}
    return {"result": "failed", "reason": "not_supported"}


def found(name):
    return {"name": name, "nativeId": None, "attributes": {"name": name}}


request = json.loads(sys.stdin.buffer.readline())
with open(file + ".lock", "w") as lock:  # only one program at a time may read and rewrite the file
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(file) as lines:
        hashes = dict(line.rstrip("\n").split(":", 1) for line in lines if ":" in line)
    print(json.dumps(answer(hashes=hashes, **request)))
