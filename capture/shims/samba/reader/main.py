"""
Hands the changed passwords of a Samba domain over to the relay. `lockstep relay setup samba` installs it on a domain
controller. It runs under Samba's own Python, as root.

It waits for writes of the domain controller, lists the accounts that changed since its cursor, reads them in batches, decrypts
their passwords in parallel and hands them over in the order of their changes. The cursor moves only after the relay has
acknowledged a whole batch. A process that is killed anywhere therefore repeats at most a batch, and a repeated capture has the
same sequence.
"""

import argparse
import concurrent.futures
import contextlib
import os
import resource
import sys
import time

import ldb
from samba.param import LoadParm

import gnupg
from accounts import Domain
from cursor import Cursor, CursorBusy, CursorFile
from passwords import SCHEMES, current_hash, current_password, encrypted_password
from relay import Relay, RelayUnavailable, encode, wipe

PLAINTEXT = "plaintext"
BATCH = 64
# Interval at which the reader queries whether the domain controller has written anything.
POLL_SECONDS = 0.2
# A listing visits every account of the domain, so the reader pauses for a multiple of its duration.
PAUSE_PER_LISTING = 4
PROGRESS_SECONDS = 5
LONGEST_WAIT_SECONDS = 60
# At most this many accounts are named in one line of the log.
NAMED = 5


class Tally:
    """Counts what happened to the accounts of a pass, and reports it."""

    def __init__(self, total):
        self.total = total
        self.handed_over = 0
        self.unreadable = []
        self.too_long = []
        self._began = self._reported = time.monotonic()

    def progress(self, done):
        now = time.monotonic()
        if done == self.total or now - self._reported < PROGRESS_SECONDS:
            return
        self._reported = now
        say(f"accounts read: {done} of {self.total}, {done / (now - self._began):.0f} per second")

    def end(self):
        if self.handed_over > 0:
            took = max(time.monotonic() - self._began, 0.001)
            say(f"passwords handed over: {self.handed_over}, {self.handed_over / took:.0f} per second")
        self._name("no readable password, which was set before or without the setting in smb.conf", self.unreadable)
        self._name("a name or a password that is too long for the relay", self.too_long)

    @staticmethod
    def _name(what, accounts):
        if accounts:
            more = ", …" if len(accounts) > NAMED else ""
            say(f"skipped accounts with {what}: {len(accounts)} (objectGUID {', '.join(accounts[:NAMED])}{more})")


class Reader:
    def __init__(self, lp, args):
        self._lp = lp
        self._args = args
        self._form = args.hash or PLAINTEXT
        self._keys = lp.get("password hash gpg key ids") or []
        self._cursors = CursorFile(args.cursor or lp.private_path("lockstep-reader.json"))
        self._pool = concurrent.futures.ThreadPoolExecutor(min(os.cpu_count() or 1, 8))
        self._wait = 1

    def run(self):
        """Reads changes until it is killed; with --once until it has caught up."""
        while True:
            try:
                if self._form == PLAINTEXT:
                    gnupg.check(self._keys)
                self._follow(Domain(self._lp))
                return
            except (ldb.LdbError, RelayUnavailable, gnupg.GnuPGUnavailable) as error:
                reason = error.args[1] if isinstance(error, ldb.LdbError) else error
                if self._args.once:
                    sys.exit(f"error: {reason}")
                say(f"{reason}; the next attempt is in {self._wait} seconds")
            time.sleep(self._wait)
            self._wait = min(2 * self._wait, LONGEST_WAIT_SECONDS)

    def _follow(self, domain):
        highest = domain.highest_usn()
        cursor = self._cursors.load(domain.database, self._form, highest)
        say("connected to the domain controller")
        while True:
            began = time.monotonic()
            changes = domain.changed_after(cursor.reached, self._args.filter)
            took = time.monotonic() - began
            if changes:
                cursor = self._pass(domain, cursor, changes)
            self._wait = 1
            if self._args.once:
                return
            time.sleep(PAUSE_PER_LISTING * took)
            highest = self._next_write(domain, highest)

    @staticmethod
    def _next_write(domain, seen):
        """Returns the USN of the last write once there is another one. A minute later it returns in any case."""
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while True:
            highest = domain.highest_usn()
            if highest != seen or time.monotonic() > deadline:
                return highest
            time.sleep(POLL_SECONDS)

    def _pass(self, domain, cursor, changes):
        """Hands over every password that changed after the cursor. Returns the cursor after the pass."""
        tally = Tally(len(changes))
        for at in range(0, len(changes), BATCH):
            batch = changes[at : at + BATCH]
            accounts = [one for one in domain.read(batch) if one.password_usn() > cursor.complete]
            self._hand_over([one for one in accounts if one.changed_ms() is not None], tally)
            reached = batch[-1].usn
            last = at + len(batch) == len(changes)
            cursor = Cursor(cursor.database, cursor.form, reached if last else cursor.complete, reached)
            self._cursors.save(cursor)
            tally.progress(at + len(batch))
        tally.end()
        return cursor

    def _hand_over(self, accounts, tally):
        if not accounts:
            return
        # A password is decrypted only while a relay listens.
        with contextlib.closing(Relay(self._args.socket)) as relay, contextlib.closing(self._secrets(accounts)) as secrets:
            for account, secret in zip(accounts, secrets):
                if not secret:
                    tally.unreadable.append(account.guid)
                    continue
                try:
                    message = encode(
                        account.dn, secret, account.changed_ms(), account.sequence(), self._form != PLAINTEXT
                    )
                except ValueError:
                    tally.too_long.append(account.guid)
                    continue
                finally:
                    wipe(secret)
                try:
                    relay.hand_over(message)
                finally:
                    wipe(message)
                tally.handed_over += 1

    def _secrets(self, accounts):
        """Yields the password or the hash of each account, in order; None where the domain stores none."""
        if self._form != PLAINTEXT:
            yield from (current_hash(account, self._form) for account in accounts)
            return
        encrypted = [encrypted_password(account) for account in accounts]
        decrypted = self._pool.map(lambda one: one and gnupg.decrypt(one), encrypted)
        try:
            for account, given, utf16 in zip(accounts, encrypted, decrypted):
                # It may be encrypted to a former key. If the present key does not work either, GnuPG is at fault.
                if given is not None and utf16 is None:
                    gnupg.check(self._keys)
                yield None if utf16 is None else current_password(account, utf16)
        finally:
            for utf16 in decrypted:
                if utf16 is not None:
                    wipe(utf16)


def say(line):
    print(line, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", dest="smb_conf", help="smb.conf (default: the one that Samba uses)")
    parser.add_argument("--socket", required=True, help="socket of the relay")
    parser.add_argument("--cursor", help="file of the cursor (default: in the private folder of Samba)")
    parser.add_argument("--hash", choices=sorted(SCHEMES), help="hand over hashes of this scheme")
    parser.add_argument("--filter", default="", help="LDAP filter that limits the accounts")
    parser.add_argument("--once", action="store_true", help="end once all changes are handed over")
    args = parser.parse_args()
    # A core file would contain passwords.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    lp = LoadParm()
    if args.smb_conf is None:
        lp.load_default()
    else:
        lp.load(args.smb_conf)
    try:
        Reader(lp, args).run()
    except CursorBusy as error:
        sys.exit(f"error: another reader uses {error}: stop it first")


if __name__ == "__main__":
    main()
