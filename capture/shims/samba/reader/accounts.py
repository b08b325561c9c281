"""
Reads the accounts of the domain from the local domain controller, with the secrets that it stores for them.

The connection is the LDAP socket in Samba's private folder, on which Samba treats an anonymous client as SYSTEM. samba-tool
does the same. Only SYSTEM may read secrets.
"""

import dataclasses

import ldb
from samba.auth import system_session
from samba.credentials import Credentials
from samba.dcerpc import drsblobs, drsuapi, misc
from samba.ndr import ndr_unpack
from samba.samdb import SamDB

# Normal accounts (UF_NORMAL_ACCOUNT): not computers, trusts and service accounts whose passwords the domain itself makes.
PEOPLE = (
    "(&(objectClass=user)(!(objectClass=computer))(userAccountControl:1.2.840.113556.1.4.803:=512)"
    "(!(sAMAccountName=krbtgt*))%s(uSNChanged>=%d))"
)
SECRETS = ["unicodePwd", "supplementalCredentials"]
READ = ["objectGUID", "pwdLastSet", "msDS-KeyVersionNumber", "replPropertyMetaData", *SECRETS]
# A change of one of these is a password change. pwdLastSet alone changes when "must change at next logon" is removed.
CHANGED_WITH_PASSWORD = (
    drsuapi.DRSUAPI_ATTID_unicodePwd,
    drsuapi.DRSUAPI_ATTID_supplementalCredentials,
    drsuapi.DRSUAPI_ATTID_pwdLastSet,
)


@dataclasses.dataclass(frozen=True)
class Change:
    """An account that changed. `usn` is its uSNChanged."""

    usn: int
    guid: str


class Account:
    """An account as the domain stores it at the time of the read."""

    def __init__(self, message):
        self._message = message
        self.dn = str(message.dn)
        self.guid = _guid(message)

    def password_usn(self):
        """The USN of the last password change on this domain controller; 0 if there was none."""
        if "replPropertyMetaData" not in self._message:
            return 0
        metadata = ndr_unpack(drsblobs.replPropertyMetaDataBlob, self._message["replPropertyMetaData"][0])
        return max((one.local_usn for one in metadata.ctr.array if one.attid in CHANGED_WITH_PASSWORD), default=0)

    def changed_ms(self):
        """The time of the password change in milliseconds since 1970; None if the account must change its password."""
        since_1601 = int(self._message.get("pwdLastSet", idx=0) or 0)
        return since_1601 // 10_000 - 11_644_473_600_000 if since_1601 > 0 else None

    def sequence(self):
        """Identifies the password change, so that a repeated capture starts nothing."""
        version = int(self._message.get("msDS-KeyVersionNumber", idx=0) or 0)
        return f"{self.guid}/{version}/{int(self._message.get('pwdLastSet', idx=0) or 0)}"

    def nt_hash(self):
        """None if the domain stores none (`nt hash store = never`)."""
        return self._message.get("unicodePwd", idx=0)

    def packages(self):
        """The supplemental credentials in their order, as (name, content)."""
        if "supplementalCredentials" not in self._message:
            return []
        blob = ndr_unpack(drsblobs.supplementalCredentialsBlob, self._message["supplementalCredentials"][0])
        return [(package.name, bytes.fromhex(package.data)) for package in blob.sub.packages or []]


class Domain:
    """A connection to the domain controller of this machine. Raises ldb.LdbError if it is not available."""

    def __init__(self, lp):
        credentials = Credentials()
        credentials.set_anonymous()
        url = "ldapi://" + lp.private_path("ldap_priv/ldapi")
        self._db = SamDB(url=url, session_info=system_session(), credentials=credentials, lp=lp)
        # The helper of SamDB raises a RuntimeError while the server is starting.
        invocation = self._one(str(self._one("", "dsServiceName")), "invocationId")
        self.database = str(ndr_unpack(misc.GUID, invocation))

    def highest_usn(self):
        """The USN of the last write of any kind."""
        return int(self._one("", "highestCommittedUSN"))

    def _one(self, base, name):
        return self._db.search(base=base, scope=ldb.SCOPE_BASE, attrs=[name])[0][name][0]

    def changed_after(self, usn, more):
        """
        Lists the accounts whose uSNChanged is above `usn`, oldest change first. A deleted account is not listed.
        `more` is an LDAP filter that limits the accounts, or "".
        """
        found = self._db.search(
            base=self._db.get_default_basedn(),
            scope=ldb.SCOPE_SUBTREE,
            expression=PEOPLE % (more, usn + 1),
            attrs=["objectGUID", "uSNChanged"],
        )
        return sorted((Change(int(one["uSNChanged"][0]), _guid(one)) for one in found), key=lambda one: one.usn)

    def read(self, changes):
        """Reads the accounts of some changes in their order. An account that was deleted in between is left out."""
        wanted = "".join(f"(objectGUID={change.guid})" for change in changes)
        found = self._db.search(
            base=self._db.get_default_basedn(), scope=ldb.SCOPE_SUBTREE, expression=f"(|{wanted})", attrs=READ
        )
        accounts = {account.guid: account for account in map(Account, found)}
        return [accounts[change.guid] for change in changes if change.guid in accounts]


def _guid(message):
    return str(ndr_unpack(misc.GUID, message["objectGUID"][0]))
