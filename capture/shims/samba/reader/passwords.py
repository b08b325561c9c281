"""
Finds the current password of an account, or its hash, in what the domain stores for the account.

Samba appends `Primary:SambaGPG` and `Primary:userPassword` when a password is set. A Windows domain controller, or one
without the setting in smb.conf, keeps the old values. Therefore a value counts only if it belongs to the current keys of the
account. That also makes it impossible to hand over the password of another account.
"""

from samba.credentials import Credentials
from samba.dcerpc import drsblobs
from samba.ndr import ndr_unpack

from relay import wipe

AES256 = 18
# The prefixes of crypt(3).
SCHEMES = {"sha256-crypt": "$5$", "sha512-crypt": "$6$"}


def encrypted_password(account):
    """The password, encrypted by GnuPG; None if the domain stored none with the last change."""
    packages = account.packages()
    # After a change on a Windows domain controller an old one is at the beginning.
    if not packages or packages[-1][0] != "Primary:SambaGPG":
        return None
    return packages[-1][1]


def current_password(account, utf16):
    """
    Returns the password in UTF-8 as a bytearray; None if `utf16` is not the current password of the account, or not valid.
    It wipes `utf16`.
    """
    try:
        return bytearray(utf16.decode("utf-16-le").encode()) if _is_current(account, utf16) else None
    except UnicodeError:
        return None
    finally:
        wipe(utf16)


def current_hash(account, scheme):
    """The hash of the current password in a scheme, with the prefix {CRYPT}, as a bytearray; None if there is none."""
    packages = dict(account.packages())
    if "Primary:userPassword" not in packages:
        return None
    stored = ndr_unpack(drsblobs.package_PrimaryUserPasswordBlob, packages["Primary:userPassword"])
    nt_hash = account.nt_hash()
    _, key = _aes256(packages)
    current = nt_hash if nt_hash is not None else key and key[:16]
    if current is None or current != bytes(stored.current_nt_hash.hash):
        return None
    for one in stored.hashes:
        value = one.value if isinstance(one.value, str) else one.value.decode("ascii")
        if one.scheme == "{CRYPT}" and value.startswith(SCHEMES[scheme]):
            return bytearray(b"{CRYPT}" + value.encode())
    return None


def _is_current(account, utf16):
    # The credentials keep a copy of the password, which Samba wipes when they are freed.
    credentials = Credentials()
    credentials.set_anonymous()
    credentials.set_utf16_password(bytes(utf16))
    nt_hash = account.nt_hash()
    if nt_hash is not None:
        return credentials.get_nt_hash() == nt_hash
    salt, key = _aes256(dict(account.packages()))
    return key is not None and credentials.get_aes256_key(salt) == key


def _aes256(packages):
    """The Kerberos salt and AES-256 key; (None, None) if the domain stores none."""
    content = packages.get("Primary:Kerberos-Newer-Keys")
    if content is None:
        return None, None
    stored = ndr_unpack(drsblobs.package_PrimaryKerberosBlob, content)
    if stored.version != 4:
        return None, None
    return stored.ctr.salt.string, next((bytes(one.value) for one in stored.ctr.keys if one.keytype == AES256), None)
