import type { Subject } from './conformance/subject';
import { htpasswd } from './htpasswd-subject';
import { because } from './sql-admin';

const reply =
  ', whichever: never rejected, retry only when nothing was written, and one more attempt ends it';

export const htpasswdByCommand: Subject = {
  title: 'command, an htpasswd file for nginx',
  kind: 'command',
  server: { host: '', port: 0 },
  settings: () => ({
    command: htpasswd.program(),
    arguments: [htpasswd.file()],
    proof: 'hash',
    operations: ['find', 'list'],
  }),
  secrets: {},
  get commandDir() {
    return htpasswd.programs();
  },
  hasty: { timeoutMs: 500 },
  wrong: { authority: {}, hostName: {}, servicePassword: {}, rights: {}, plaintext: {} },
  skips: {
    ...because('a program is started and not connected to; see the promises of its own', [
      'a server that is down: retry, unreachable, and nothing was sent',
      'a server that accepts and never answers: every call ends',
      `a reply is lost (cut)${reply}`,
      `a reply is lost (hang)${reply}`,
      'the connection is cut before a request goes out, whichever: the same',
      'when the server is back, the connector works again by itself',
      'a connection that failed is not used again',
      'verify: a server that is away is inconclusive, unreachable',
      'check: a server that is away is named, not thrown',
      'a certificate of another authority: retry, certificate_refused, and nothing is written',
      'a certificate of another host name: retry, certificate_refused, and nothing is written',
      'somebody else in the place of the server hears nothing',
      'settings: a connection without TLS is refused',
      'check: names a certificate that is not trusted',
    ]),
    ...because('it has no service account: a program has secrets of its own', [
      'a wrong service password: retry, service_credential_refused, after one login',
      'a service account without rights: rejected, no_rights',
      'settings: a secret that is not a reference is refused',
      'check: names a wrong service password',
      'check: names missing rights',
    ]),
    ...because('such a file holds names and hashes, and nothing else', [
      'a write changes nothing else of a disabled account',
      'a write changes nothing else of a locked account',
      'a write changes nothing else of a must-change account',
      'an account that was renamed is found by its native id, and said so',
      'verify: the new password of a disabled account is never said to differ',
      'verify: the new password of a locked account is never said to differ',
      'verify: a must-change account holds its password',
      'verify: makes one login, not more',
      'state: an active account is neither disabled, locked nor to change',
      'state: a disabled account is disabled',
      'state: a locked account is locked, not disabled',
      'state: an account that must change its password says so',
      'state: tells when the password was changed',
      'state: an account that does not exist: no_account',
    ]),
  },
  account: htpasswd.account,
  absent: (text) => ({ name: text, nativeId: null }),
  findBy: 'name',
  logsIn: htpasswd.logsIn,
  entry: htpasswd.entry,
  mayChange: htpasswd.mayChange,
  refusals: htpasswd.refusals,
  provable: { disabled: 'holds', locked: 'holds' },
};
