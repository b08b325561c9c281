import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CompactSign, jwtVerify } from 'jose';
import { Webhook } from 'standardwebhooks';
import type { NoticeTools, OutgoingNotice } from '../../connectors/notices/contract';
import { openNoticeChannels } from '../../connectors/notices/open';
import { channelKinds } from '../../connectors/notices/registry';
import { type Certificates, certificatesIn } from '../../local/certificates';
import { configurationSchema } from '../../model/configuration/document';
import { noticeIssues } from '../../model/configuration/notice-channels';
import type { NoticeFacts } from '../../model/notices/facts';
import { type NoticeKind, noticeKindNames } from '../../model/notices/kinds';
import { languages } from '../../model/notices/languages';
import { noticeText } from '../../model/notices/text';
import { Secret } from '../../model/passwords/secret';
import { type EventReceiver, startEventReceiver } from '../support/event-receiver';
import { MAIL_LOGIN, type MailServer, startMailServer } from '../support/mail-server';

const secrets: Record<string, string> = {
  '${file:smtp}': MAIL_LOGIN.password,
  '${file:wrong}': 'another password',
  '${file:new}': `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  '${file:old}': `whsec_${Buffer.alloc(32, 2).toString('base64')}`,
  '${file:short}': 'whsec_c2hvcnQ=',
  '${file:token}': 'token-of-the-receiver',
};

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const tools: NoticeTools = {
  resolve(reference) {
    const secret = secrets[reference];
    if (secret === undefined) throw new Error('no such secret');
    return Secret.fromText(secret);
  },
  issuer: 'https://lockstep.example',
  signEvent: (claims) =>
    new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'RS256', typ: 'secevent+jwt', kid: 'k1' })
      .sign(privateKey),
};

const facts: NoticeFacts = {
  person: 'ann',
  at: new Date('2026-11-29T01:20:30Z'),
  subject: null,
  changeId: 'chg_1',
  reminder: false,
  reason: null,
  sources: [],
  unsure: [],
  about: null,
  endsAt: null,
  count: 0,
  names: [],
  left: false,
  link: null,
  contact: null,
};

const noticeOf = (kind: NoticeKind, more: Partial<NoticeFacts> = {}): OutgoingNotice => {
  const all = { ...facts, ...more };
  return {
    id: 'dlv_0123456789',
    kind,
    recipient: 'ann@example.com',
    facts: all,
    text: noticeText(kind, 'en', all),
    person: { id: 'idn_1', name: 'ann', attributes: { mail: 'ann@example.com', sub: 's-1' } },
    startedBy: 'user',
  };
};

let dir: string;
let certificates: Certificates;
const channels = openNoticeChannels(tools);

beforeAll(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'notices-'));
  certificates = await certificatesIn(dir);
});
afterAll(() => {
  channels.close();
  rmSync(dir, { recursive: true });
});

describe('a mail channel', () => {
  const servers: MailServer[] = [];
  const serverOf = async (...options: [mode: 'starttls' | 'tls' | 'none', login?: boolean]) => {
    const server = await startMailServer(certificates, ...options);
    servers.push(server);
    return server;
  };
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  const send = (port: number, more: object = {}, notice = noticeOf('password_changed')) =>
    channels.send(
      `mail ${port}`,
      {
        kind: 'mail',
        settings: {
          ...{ host: '127.0.0.1', port, ca: certificates.caFile, from: 'lockstep@corp.example' },
          ...more,
        },
      },
      notice,
    );

  test.each(['starttls', 'tls'] as const)(
    'a notice arrives over %s with a login, marked as generated, with an id that every attempt shares',
    async (tls) => {
      const server = await serverOf(tls, true);
      const login = { tls, user: MAIL_LOGIN.user, password: '${file:smtp}' };
      expect(await send(server.port, login)).toEqual({ result: 'delivered' });
      expect(await send(server.port, login)).toEqual({ result: 'delivered' });
      const [first, second] = server.mails;
      expect(first).toMatchObject({
        ...{ from: 'lockstep@corp.example', to: ['ann@example.com'] },
        ...{ secure: true, user: MAIL_LOGIN.user },
      });
      for (const mail of [first, second])
        expect(mail?.raw).toContain('Message-ID: <dlv_0123456789@corp.example>');
      expect(first?.raw).toContain('Auto-Submitted: auto-generated');
      expect(first?.raw).toContain('Subject: Your password was changed');
      expect(first?.raw).toContain('2026-11-29 01:20 UTC');
      expect(first?.raw).not.toMatch(/https?:|href/);
    },
  );

  test('a server that offers no TLS gets neither the password nor the notice', async () => {
    const server = await serverOf('none', true);
    const login = { user: MAIL_LOGIN.user, password: '${file:smtp}' };
    expect(await send(server.port, login)).toMatchObject({
      result: 'retry',
      reason: 'certificate_refused',
    });
    expect(server.mails).toEqual([]);
  });

  test('a certificate that is not trusted, a wrong password and an unreadable one have different reasons and are retried', async () => {
    const server = await serverOf('starttls', true);
    const other = await certificatesIn(path.join(dir, 'other'));
    const attempts = [
      { ca: other.caFile },
      { user: MAIL_LOGIN.user, password: '${file:wrong}' },
      { user: MAIL_LOGIN.user, password: '${file:missing}' },
    ];
    const reasons = [];
    for (const more of attempts) reasons.push(await send(server.port, more));
    expect(reasons.map((sent) => 'reason' in sent && sent.reason)).toEqual([
      'certificate_refused',
      'credential_refused',
      'credential_refused',
    ]);
    expect(reasons.every(({ result }) => result === 'retry')).toBe(true);
    expect(server.mails).toEqual([]);
  });

  test('an address that the server refuses for good fails, and one that it refuses for now is retried', async () => {
    const server = await serverOf('starttls');
    server.refuse(550, 451);
    expect(await send(server.port)).toEqual({ result: 'failed', reason: 'address_refused' });
    expect(await send(server.port)).toMatchObject({ result: 'retry', reason: 'receiver_busy' });
    await server.stop();
    expect(await send(server.port)).toMatchObject({
      result: 'retry',
      reason: 'receiver_unreachable',
    });
  });

  test('a name with line ends adds no header and no line of its own to a mail', async () => {
    const server = await serverOf('starttls');
    const evil = 'crm\r\nBcc: all@evil.example\r\n\r\nClick\u2028here';
    await send(server.port, {}, noticeOf('source_down', { subject: evil, person: null }));
    const [mail] = server.mails;
    expect(mail?.to).toEqual(['ann@example.com']);
    const unwrapped = mail?.raw.replaceAll(/=\r?\n/g, '');
    expect(unwrapped).toContain('The source crm Bcc: all@evil.example Click here is down');
    expect(unwrapped).not.toMatch(/^(Bcc:|Click)/m);
  });
});

describe('a channel of HTTPS', () => {
  let receiver: EventReceiver;
  beforeAll(async () => {
    receiver = await startEventReceiver(certificates);
  });
  afterAll(() => receiver.stop());

  const open = () => ({
    url: receiver.url,
    ca: certificates.caFile,
    allowPrivateAddresses: ['127.0.0.1'],
  });
  const hook = (more: object = {}, notice = noticeOf('password_changed')) =>
    channels.send(
      'hook',
      { kind: 'webhook', settings: { ...open(), secret: '${file:new}', ...more } },
      notice,
    );
  const last = () => receiver.events.at(-1) ?? { headers: {}, body: '' };
  const verified = (reference: string) =>
    new Webhook(secrets[reference] ?? '').verify(
      last().body,
      last().headers as Record<string, string>,
    );

  test('a webhook verifies with the library of Standard Webhooks, by each of two secrets during a rotation', async () => {
    expect(await hook({ previousSecret: '${file:old}' })).toEqual({ result: 'delivered' });
    for (const reference of ['${file:new}', '${file:old}'])
      expect(verified(reference)).toMatchObject({
        type: 'password.changed',
        timestamp: '2026-11-29T01:20:30.000Z',
        data: { person: { id: 'idn_1', name: 'ann' }, change: 'chg_1' },
      });
    expect(last().headers['webhook-id']).toBe('dlv_0123456789');
    await hook();
    expect(() => verified('${file:old}')).toThrow();
  });

  test('only 2xx is success, a redirect is not followed, and 410 ends the receiver', async () => {
    const before = receiver.events.length;
    const moved = { status: 307, headers: { location: receiver.url } };
    const busy = { status: 429, headers: { 'retry-after': '90' } };
    receiver.answer(500, moved, busy, 410, 204);
    const results = [];
    for (let count = 0; count < 5; count++) results.push(await hook());
    expect(results).toEqual([
      { result: 'retry', reason: 'receiver_failed', afterMs: null },
      { result: 'retry', reason: 'redirected', afterMs: null },
      { result: 'retry', reason: 'receiver_busy', afterMs: 90_000 },
      { result: 'gone', reason: 'endpoint_gone' },
      { result: 'delivered' },
    ]);
    const ids = receiver.events.slice(before).map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual(Array(5).fill('dlv_0123456789'));
  });

  test('a private address, an untrusted certificate and an unfit secret get no notice', async () => {
    const before = receiver.events.length;
    const other = await certificatesIn(path.join(dir, 'other'));
    const attempts = [
      { allowPrivateAddresses: [] },
      { ca: other.caFile },
      { secret: '${file:short}' },
      { secret: '${file:missing}' },
    ];
    const reasons = [];
    for (const more of attempts) reasons.push(await hook(more));
    expect(reasons.map((sent) => 'reason' in sent && sent.reason)).toEqual([
      'receiver_unreachable',
      'certificate_refused',
      'credential_refused',
      'credential_refused',
    ]);
    expect(receiver.events).toHaveLength(before);
  });

  const caep = (more: object, notice = noticeOf('password_changed')) =>
    channels.send(
      'caep',
      {
        kind: 'caep',
        settings: { ...open(), audience: 'https://receiver.example', ...more },
      },
      notice,
    );
  const claims = async () => {
    const { payload, protectedHeader } = await jwtVerify(last().body, publicKey, {
      issuer: 'https://lockstep.example',
      audience: 'https://receiver.example',
      typ: 'secevent+jwt',
      algorithms: ['RS256'],
    });
    expect(protectedHeader.kid).toBe('k1');
    return payload;
  };

  test('a CAEP event is a signed security event token about a changed password, and carries no expiry', async () => {
    expect(await caep({ token: '${file:token}' })).toEqual({ result: 'delivered' });
    expect(last().headers).toMatchObject({
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: 'Bearer token-of-the-receiver',
    });
    const at = 1_795_915_230;
    expect(await claims()).toEqual({
      iss: 'https://lockstep.example',
      jti: 'dlv_0123456789',
      iat: at,
      aud: 'https://receiver.example',
      txn: 'chg_1',
      sub_id: { format: 'email', email: 'ann@example.com' },
      events: {
        'https://schemas.openid.net/secevent/caep/event-type/credential-change': {
          event_timestamp: at,
          credential_type: 'password',
          change_type: 'update',
          initiating_entity: 'user',
        },
      },
    });
  });

  test.each([
    [
      { subject: 'iss_sub', subjectIssuer: 'https://idp.example', subjectAttribute: 'sub' },
      { format: 'iss_sub', iss: 'https://idp.example', sub: 's-1' },
    ],
    [
      { subject: 'opaque', subjectAttribute: 'name' },
      { format: 'opaque', id: 'ann' },
    ],
    [{ subject: 'account' }, { format: 'account', uri: 'acct:ann@example.com' }],
  ])('a person is identified as %j', async (more, subject) => {
    expect(await caep(more)).toEqual({ result: 'delivered' });
    expect((await claims()).sub_id).toEqual(subject);
  });

  test('a test of a CAEP channel is a verification event, and a person without an identifier fails', async () => {
    await caep({}, noticeOf('test', { subject: 'caep' }));
    expect(Object.keys((await claims()).events as object)).toEqual([
      'https://schemas.openid.net/secevent/ssf/event-type/verification',
    ]);
    expect(await caep({ subjectAttribute: 'employeeNumber' })).toEqual({
      result: 'failed',
      reason: 'no_address',
    });
  });
});

describe('the settings of a channel', () => {
  const issuesOf = (channel: object) =>
    noticeIssues(
      configurationSchema.parse({ version: 1, notices: { one: channel } }),
      channelKinds,
    ).map(({ path: at, says }) => `${at.join('.')} ${says}`);
  const mail = { host: 'mail.example', from: 'a@b.example' };
  const url = 'https://hooks.example/lockstep';

  test('complete settings of each kind have no issue', () => {
    const secret = '${file:hook}';
    for (const channel of [
      { kind: 'mail', for: ['people'], settings: mail },
      { kind: 'mail', for: ['people', 'operators'], settings: { ...mail, to: ['ops@b.example'] } },
      { kind: 'webhook', for: ['operators'], settings: { url, secret } },
      { kind: 'caep', for: ['people'], settings: { url, audience: 'r' } },
    ])
      expect(issuesOf(channel)).toEqual([]);
  });

  test.each([
    ['mail in the clear to another machine', 'mail', { ...mail, tls: 'none' }, 'settings.tls'],
    [
      'a sender with a second header',
      'mail',
      { ...mail, from: 'a@b.example\r\nBcc: c@d.example' },
      'settings.from',
    ],
    [
      'a password in the document',
      'mail',
      { ...mail, user: 'u', password: 'secret' },
      'settings.password',
    ],
    ['operators without an address', 'mail', mail, 'for'],
    [
      'a webhook without TLS',
      'webhook',
      { url: 'http://hooks.example', secret: '${file:h}' },
      'settings.url',
    ],
    ['a CAEP channel for operators', 'caep', { url, audience: 'r' }, 'for'],
    ['an unknown kind', 'pager', {}, 'kind'],
  ])('%s is an issue', (_title, kind, settings, at) => {
    const [issue] = issuesOf({ kind, for: ['operators'], settings });
    expect(issue).toContain(`notices.one.${at} `);
  });
});

describe('the texts', () => {
  test.each(
    languages.flatMap((language) => noticeKindNames.map((kind) => [language, kind] as const)),
  )(
    'the notice %s %s has a subject of one line, an instruction, and no open value',
    (language, kind) => {
      const all = {
        ...facts,
        subject: 'crm',
        about: 'domain',
        endsAt: new Date(0),
        sources: ['crm', 'mail'],
      };
      const { subject, paragraphs } = noticeText(kind, language, all);
      expect(subject).toMatch(/^.{5,100}$/);
      expect(paragraphs.length).toBeGreaterThan(1);
      expect([subject, ...paragraphs].join(' ')).not.toMatch(/undefined|null|NaN|https?:/);
    },
  );
});
