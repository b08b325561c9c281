"""Decrypts passwords with the GnuPG of this machine. The private key stays with gpg-agent."""

import subprocess
import threading

from relay import wipe

WITHIN_SECONDS = 30
# Samba limits a password to 512 bytes of UTF-16 (MS-SAMR §3.1.1.7.2); the rest leaves room for a longer one.
MAX_BYTES = 16 * 1024

DECRYPT = ["--batch", "--quiet", "--no-tty", "--pinentry-mode", "error", "--no-auto-check-trustdb", "--decrypt"]


class GnuPGUnavailable(Exception):
    """GnuPG cannot decrypt with the key of the domain controller at the moment."""


def decrypt(ciphertext):
    """
    Returns the plaintext as a bytearray, which the caller wipes; None if GnuPG cannot decrypt it.
    It is safe to call from several threads: each call runs a gpg of its own, because gpg decrypts one message per process.
    """
    plaintext = bytearray(MAX_BYTES)
    gpg = subprocess.Popen(
        ["gpg", *DECRYPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )
    watchdog = threading.Timer(WITHIN_SECONDS, gpg.kill)
    watchdog.start()
    try:
        with gpg.stdin:
            gpg.stdin.write(ciphertext)
        length = _read_into(gpg.stdout, plaintext)
        if gpg.wait() == 0 and 0 < length < MAX_BYTES:
            return _prefix(plaintext, length)
        return None
    except BrokenPipeError:
        gpg.wait()
        return None
    finally:
        watchdog.cancel()
        gpg.stdout.close()
        wipe(plaintext)


def check(key_ids):
    """Raises GnuPGUnavailable unless GnuPG encrypts to the keys of smb.conf and decrypts the result."""
    if not key_ids:
        raise GnuPGUnavailable("smb.conf has no setting password hash gpg key ids")
    probe = b"lockstep"
    recipients = [word for key_id in key_ids for word in ("--recipient", key_id)]
    encrypt = ["gpg", "--batch", "--quiet", "--no-tty", "--trust-model", "always", *recipients, "--encrypt"]
    try:
        made = subprocess.run(encrypt, input=probe, capture_output=True, timeout=WITHIN_SECONDS, check=True)
        works = decrypt(made.stdout) == probe
    except (OSError, subprocess.SubprocessError):
        works = False
    if not works:
        raise GnuPGUnavailable(f"GnuPG cannot decrypt with {' '.join(key_ids)}: check GNUPGHOME and gpg-agent")


def _read_into(stream, buffer):
    length = 0
    with memoryview(buffer) as view:
        while length < len(buffer):
            read = stream.readinto(view[length:])
            if not read:
                break
            length += read
    return length


def _prefix(buffer, length):
    with memoryview(buffer) as view:
        return bytearray(view[:length])
