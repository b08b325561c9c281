import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { sql } from 'kysely';
import { type Certificates, certificatesIn } from '../../local/certificates';
import type { Temporal } from '../../local/temporal';
import { Secret } from '../../model/passwords/secret';
import { listNotices, type NoticeView } from '../../store/notices/read';
import { writeTestNotice } from '../../store/notices/write';
import { findLink } from '../../store/people/one-time-links';
import { openEventKey } from '../../store/worker/keys/event-key';
import { startTestApi } from '../support/api';
import { type Company, startCompany } from '../support/company';
import { startEngine } from '../support/engine';
import { withClient } from '../support/engine-client';
import { type EventReceiver, startEventReceiver } from '../support/event-receiver';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep, type TestWorker } from '../support/lockstep';
import { type MailServer, startMailServer } from '../support/mail-server';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, entryOf } from '../support/worker-suite';

const ISSUER = 'https://lockstep.example';
const HOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** Notices on their way from the database through the engine to mail, webhooks and receivers of events. */
describeWith(['slapd', 'postgres', 'temporal'], 'notices', () => {
  let dir: string;
  let certificates: Certificates;
  let engine: Temporal;
  let company: Company;
  let lockstep: Lockstep;
  let worker: TestWorker;
  let mail: MailServer;
  let hook: EventReceiver;
  let caep: EventReceiver;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'notices-'));
    certificates = await certificatesIn(dir);
    [mail, hook, caep] = await Promise.all([
      startMailServer(certificates, 'starttls'),
      startEventReceiver(certificates),
      startEventReceiver(certificates),
    ]);
    [engine, company] = await Promise.all([startEngine(), startCompany()]);
    lockstep = await startLockstep(engine, {
      toolsFor: (keyDir, keys, db) => ({
        resolve: () => Secret.fromText(HOOK_SECRET),
        issuer: ISSUER,
        signEvent: openEventKey(keyDir, db, keys).sign,
      }),
    });
    const titled = { apps: { title: { en: 'Wiki', de: 'Wiki und Werkzeuge' } } };
    await lockstep.configure({ ...companyDocument(company, titled), notices: channels() });
    worker = lockstep.startWorker();
  });
  afterEach(async () => {
    for (const proxy of Object.values(company.proxies)) await proxy.pass();
    await lockstep.forgetTroubles();
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });
  afterAll(async () => {
    await lockstep.stop();
    await Promise.all([engine.stop(), company.stop(), mail.stop(), hook.stop(), caep.stop()]);
    rmSync(dir, { recursive: true });
  });

  const channels = () => {
    const https = { ca: certificates.caFile, allowPrivateAddresses: ['127.0.0.1'] };
    return {
      post: {
        kind: 'mail',
        for: ['people', 'operators'],
        language: 'de',
        settings: {
          ...{ host: '127.0.0.1', port: mail.port, ca: certificates.caFile },
          ...{ from: 'lockstep@corp.example', to: ['ops@corp.example'] },
        },
      },
      hook: {
        kind: 'webhook',
        for: ['people', 'operators'],
        settings: { ...https, url: hook.url, secret: '${file:hook}' },
      },
      events: {
        kind: 'caep',
        for: ['people'],
        settings: { ...https, url: caep.url, audience: 'receiver' },
      },
    };
  };

  const somebody = async (other: 'apps' | 'crm' = 'crm') => {
    const accounts = await Promise.all([
      company.addAccount('directory'),
      company.addAccount(other),
    ]);
    const address = `${Math.random().toString(36).slice(2)}@corp.example`;
    const person = await lockstep.addPerson(accounts, { mail: address });
    return { person, address, accounts };
  };
  const notices = (): Promise<NoticeView[]> =>
    listNotices(lockstep.database.db, { groups: null, state: null, before: null, limit: 200 });
  const ended = async (met: (notice: NoticeView) => boolean): Promise<NoticeView> => {
    let found: NoticeView | undefined;
    await until(async () => {
      found = (await notices()).find((notice) => met(notice) && notice.state === 'sent');
      return found !== undefined;
    });
    return found as NoticeView;
  };
  const stateOf = ({ deliveries }: NoticeView) =>
    Object.fromEntries(deliveries.map(({ channel, state }) => [channel, state]));
  const eventsAbout = ({ events }: EventReceiver, text: string) =>
    events.filter(({ body }) => body.includes(text));
  const testHook = () => writeTestNotice(lockstep.database.db, 'hook', null);

  test('a one-time link goes by one mail to the current address, and nothing else has its code', async () => {
    const { person, address } = await somebody();
    const { database, keyDir } = lockstep;
    const env = { LOCKSTEP_API_PUBLIC_URL: ISSUER };
    const api = await startTestApi({ database, keyDir, env });
    try {
      const key = await api.newKey(['help-desk']);
      const body = { check: 'in-person', reason: 'ticket 1', deliver: 'mail' };
      const path = `/v1/identities/${person}/one-time-link`;
      const made = await api.send('POST', path, { key, body });
      expect(made.body).toMatchObject({ code: null, sentTo: address });
      const notice = await ended(({ kind }) => kind === 'one_time_link');
      expect(stateOf(notice)).toEqual({ post: 'delivered' });
      const [sent, ...more] = mail.mails.filter(({ to }) => to.includes(address));
      expect(more).toEqual([]);
      const text = sent?.raw.replaceAll(/=\r?\n/g, '') ?? '';
      const [, code = ''] =
        /https:\/\/lockstep\.example\/password\/link#([0-9A-Z-]{19})/.exec(text) ?? [];
      expect(await findLink(database.db, code)).not.toBeNull();
      const { rows } = await sql<{ all: string }>`
        select (select string_agg(l::text, ' ') from one_time_link l) || (select string_agg(n::text, ' ') from notice n)
               || (select string_agg(a::text, ' ') from audit a) as all`.execute(database.db);
      expect(rows[0]?.all).toContain('one-time-link.created');
      expect(rows[0]?.all).not.toContain(code);
      expect(eventsAbout(hook, 'one-time-link')).toEqual([]);
    } finally {
      await api.stopProcess();
    }
  });

  test('a person hears once over every channel that their password was changed, and Temporal learns nothing personal', async () => {
    const { person, address } = await somebody();
    const changeId = await lockstep.accept({ person, password: newPassword() });
    await lockstep.readEnd(changeId);
    const notice = await ended(({ change }) => change === changeId);
    expect(notice).toMatchObject({ kind: 'password_changed', person });
    expect(stateOf(notice)).toEqual({ post: 'delivered', hook: 'delivered', events: 'delivered' });
    const mails = mail.mails.filter(({ to }) => to.includes(address));
    expect(mails).toHaveLength(1);
    expect(mails[0]?.raw).toContain('Subject: =?UTF-8?Q?Ihr_Passwort_wurde_ge=C3=A4ndert?=');
    expect(eventsAbout(hook, person)).toHaveLength(1);
    expect((await notices()).filter(({ change }) => change === changeId)).toHaveLength(1);
    const history = JSON.stringify(
      await withClient(engine, ({ workflow }) => workflow.getHandle(notice.id).fetchHistory()),
    );
    for (const personal of [person, address]) {
      expect(history).not.toContain(personal);
      expect(history).not.toContain(Buffer.from(personal).toString('base64').slice(0, -4));
    }
  });

  test('a receiver verifies a security event by the public key that the API serves', async () => {
    const { database, keyDir } = lockstep;
    const { person, address } = await somebody();
    const changeId = await lockstep.accept({ person, password: newPassword() });
    await ended(({ change }) => change === changeId);
    const api = await startTestApi({
      database,
      keyDir,
      env: { LOCKSTEP_API_PUBLIC_URL: ISSUER },
    });
    try {
      const read = async (at: string) => (await fetch(`${api.url}${at}`)).json();
      const transmitter = (await read('/.well-known/ssf-configuration')) as Record<string, string>;
      expect(transmitter).toMatchObject({ issuer: ISSUER, spec_version: '1_0' });
      const jwks = (await read(String(transmitter.jwks_uri).replace(ISSUER, ''))) as JSONWebKeySet;
      expect(Object.keys(jwks.keys[0] ?? {}).sort()).toEqual([
        'alg',
        'e',
        'kid',
        'kty',
        'n',
        'use',
      ]);
      const bodies = await Promise.all(
        caep.events.map(({ body }) =>
          jwtVerify(body, createLocalJWKSet(jwks), { issuer: ISSUER, audience: 'receiver' }),
        ),
      );
      const subjects = bodies.map(({ payload }) => payload.sub_id);
      expect(subjects).toContainEqual({ format: 'email', email: address });
      await sql`update event_key set signature = 'AAAA'`.execute(database.db);
      expect((await fetch(`${api.url}/ssf/jwks.json`)).status).toBe(404);
    } finally {
      await api.stopProcess();
    }
  });

  test('a delivery that fails is repeated under the same id until it succeeds', async () => {
    const before = hook.events.length;
    hook.answer(500);
    const id = await testHook();
    const [delivery] = (await ended((notice) => notice.id === id)).deliveries;
    expect(delivery).toMatchObject({ state: 'delivered', attempts: 2 });
    const ids = hook.events.slice(before).map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual([delivery?.id, delivery?.id]);
  });

  test('a notice that is written while no worker runs is delivered once one runs', async () => {
    await worker.stop();
    const id = await testHook();
    expect((await notices()).find((notice) => notice.id === id)?.state).toBe('new');
    worker = lockstep.startWorker();
    expect(stateOf(await ended((notice) => notice.id === id))).toEqual({ hook: 'delivered' });
  });

  test('a receiver that is gone gets nothing more until a test of its channel succeeds, and the audit shows it', async () => {
    const { db } = lockstep.database;
    hook.answer(410);
    await ended(await sameId(testHook()));
    const asked = hook.events.length;
    await sql`insert into notice (kind, subject) values ('source_unstable', 'crm')`.execute(db);
    const failed = await ended(({ kind }) => kind === 'source_unstable');
    expect(failed.deliveries.find(({ channel }) => channel === 'hook')).toMatchObject({
      ...{ state: 'failed', reason: 'endpoint_gone' },
    });
    expect(hook.events).toHaveLength(asked);
    const audit = await db
      .selectFrom('audit')
      .select('action')
      .where('action', 'like', 'notice.%')
      .orderBy('id')
      .execute();
    expect(audit.map(({ action }) => action)).toEqual([
      ...['notice.channel-closed', 'notice.failed', 'notice.failed'],
    ]);
    await ended(await sameId(testHook()));
    expect(await db.selectFrom('closed_channel').select('channel').execute()).toEqual([]);
  });

  const sameId = async (id: Promise<string>) => {
    const wanted = await id;
    return (notice: NoticeView) => notice.id === wanted;
  };

  test('a person reads the titles of the sources that did not accept the new password', async () => {
    const { person, address, accounts } = await somebody('apps');
    const strict = await company.directories.apps.addPolicy({
      pwdCheckQuality: '2',
      pwdMinLength: '80',
    });
    await company.directories.apps.replace(entryOf(accounts[1]), 'pwdPolicySubentry', strict);
    await lockstep.readEnd(await lockstep.accept({ person, password: newPassword() }));
    await ended(({ kind }) => kind === 'password_incomplete');
    const texts = mail.mails
      .filter(({ to }) => to.includes(address))
      .map(({ raw }) => raw.replaceAll(/=\r?\n/g, ''));
    expect(
      texts.filter((raw) => raw.includes('nicht angenommen: Wiki und Werkzeuge.')),
    ).toHaveLength(1);
  });
});
