"""
Queries and changes a domain controller for `lockstep relay setup samba`. It runs under Samba's own Python, with one verb a
call, after `-s smb.conf`:

  facts                prints the configuration of the domain controller
  controllers          prints the number of domain controllers in the domain
  change ACCOUNT       sets the password that is on stdin; with `--make` it creates a missing account, disabled
  remove ACCOUNT       deletes an account that `change` created

The result is one JSON value on stdout. A password is only ever on stdin, whereas samba-tool would need it on its command
line. Changes go over ldapi, so that the running server makes them with the configuration that it has loaded.
"""

import argparse
import json
import os
import sys
import time

import ldb
from samba import Ldb, dsdb
from samba.auth import system_session
from samba.credentials import Credentials
from samba.param import LoadParm
from samba.samdb import SamDB

# How long to wait for a server that is restarting.
WITHIN_SECONDS = 60
MADE_BY_US = "Canary of lockstep relay setup samba"


def facts(lp, _args):
    return {
        "smbConf": lp.configfile,
        "serverRole": lp.server_role(),
        "syncScript": sync_script(lp),
        "pidFile": os.path.join(lp.get("pid directory"), "samba.pid"),
        "gpgKeyIds": lp.get("password hash gpg key ids") or [],
        "hashSchemes": lp.get("password hash userPassword schemes") or [],
    }


def sync_script(lp):
    """The script that `samba-tool user syncpasswords` is configured to run; null if it is not configured."""
    cache = lp.private_path("user-syncpasswords-cache.ldb")
    if not os.path.exists(cache):
        return None
    found = Ldb(cache).search(base="KEY=USERSYNCPASSWORDS", scope=ldb.SCOPE_BASE)
    if len(found) == 0 or "syncCommand" not in found[0]:
        return None
    return str(found[0]["syncCommand"][0])


def change(lp, args):
    """Sets a password. Returns null, or the reason why the server refused it."""
    value = ('"%s"' % sys.stdin.buffer.read().decode("utf-8")).encode("utf-16-le")
    db = connect(lp)
    try:
        dn = dn_of(db, args.account)
        if dn is None and not args.make:
            return "There is no account %s" % args.account
        if dn is None:
            db.add(
                {
                    "dn": "CN=%s,%s" % (args.account, users(db)),
                    "objectClass": "user",
                    "sAMAccountName": args.account,
                    "description": MADE_BY_US,
                    "userAccountControl": str(dsdb.UF_NORMAL_ACCOUNT | dsdb.UF_ACCOUNTDISABLE),
                    "unicodePwd": value,
                }
            )
        else:
            message = ldb.Message(dn)
            message["unicodePwd"] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, "unicodePwd")
            db.modify(message)
    except ldb.LdbError as error:
        return str(error.args[1])
    return None


def remove(lp, args):
    """Deletes an account that `change` created, never another one. Returns whether there was one."""
    db = connect(lp)
    dn = dn_of(db, args.account, "(description=%s)" % MADE_BY_US)
    if dn is not None:
        db.delete(dn)
    return dn is not None


def controllers(lp, _args):
    db = connect(lp)
    return len(db.search(base=db.get_config_basedn(), expression="(objectClass=nTDSDSA)", attrs=["dn"]))


def connect(lp):
    """Connects as SYSTEM: on this socket Samba treats an anonymous client as SYSTEM. samba-tool does the same."""
    credentials = Credentials()
    credentials.set_anonymous()
    url = "ldapi://" + lp.private_path("ldap_priv/ldapi")
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        try:
            db = SamDB(url=url, session_info=system_session(), credentials=credentials, lp=lp)
            # A server that is still starting accepts the connection and then drops it.
            db.search(base=db.get_default_basedn(), scope=ldb.SCOPE_BASE, attrs=["dn"])
            return db
        except ldb.LdbError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def users(db):
    return db.get_wellknown_dn(db.get_default_basedn(), dsdb.DS_GUID_USERS_CONTAINER)


def dn_of(db, account, also=""):
    name = ldb.binary_encode(account)
    found = db.search(
        base=db.get_default_basedn(),
        scope=ldb.SCOPE_SUBTREE,
        expression="(&(objectClass=user)(sAMAccountName=%s)%s)" % (name, also),
        attrs=["dn"],
    )
    return found[0].dn if len(found) > 0 else None


def main():
    verbs = {verb.__name__: verb for verb in (facts, controllers, change, remove)}
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=sorted(verbs))
    parser.add_argument("account", nargs="?")
    parser.add_argument("-s", dest="smb_conf")
    parser.add_argument("--make", action="store_true")
    args = parser.parse_args()
    lp = LoadParm()
    if args.smb_conf is None:
        lp.load_default()
    else:
        lp.load(args.smb_conf)
    json.dump(verbs[args.verb](lp, args), sys.stdout)


if __name__ == "__main__":
    main()
