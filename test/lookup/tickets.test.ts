import { createSecretKey, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MasterKeys } from '../../lookup/master-keys';
import { openTicket, sealTicket } from '../../lookup/ticket';
import { revokeApiKey } from '../../store/api-keys';
import { KeyStoreUnavailable } from '../../store/worker/keys/key-store';
import { startTestLookup, type TestLookup } from '../support/lookup';
import { describeWith } from '../support/servers';

const source = 'warehouse';
const administrators = { identities: ['clerk'] };
const applications = {
  wiki: { source, administrators, tickets: { allowed: true } },
  mail: { source, administrators, tickets: { allowed: true, validated: false } },
  bills: { source, administrators: { identities: ['bob'] }, tickets: { allowed: true } },
  short: { source, administrators, tickets: { allowed: true, timeoutSeconds: 1 } },
  none: { source, administrators },
};

test('a ticket whose key cannot be read now is not refused as altered', async () => {
  const master = { id: 'key_01jd8x4y6q0000000000000000', key: createSecretKey(randomBytes(32)) };
  const ticket = { id: 'tkt', identityId: 'idn', keyId: 'key', application: 'wiki' };
  const text = sealTicket(master, { ...ticket, expiresAt: new Date(0) });
  const without = (problem: 'unreachable' | 'missing'): MasterKeys => {
    const masterKey = () => Promise.reject(new KeyStoreUnavailable(problem));
    return { masterKey, currentMasterKey: masterKey };
  };
  await expect(openTicket(without('unreachable'), text)).rejects.toMatchObject({
    code: 'keys_away',
  });
  expect(await openTicket(without('missing'), text)).toBeNull();
});

describeWith(['postgres'], 'tickets', () => {
  let lookup: TestLookup;

  beforeAll(async () => {
    lookup = await startTestLookup({ people: ['alice', 'bob', 'clerk', 'leaver'] });
    await lookup.configure(applications);
    for (const application of Object.keys(applications)) {
      await lookup.store('alice', application, `word of alice in ${application}`);
      await lookup.store('leaver', application, 'word of leaver');
    }
  });
  afterAll(() => lookup.stop());

  const issue = async (person: string, application: string) =>
    String((await lookup.send(person, 'POST', '/v1/tickets', { application })).body.ticket);
  const redeem = (person: string, application: string, ticket: string, sender?: string) => {
    const body = { application, ticket, ...(sender && { sender }) };
    return lookup.send(person, 'POST', '/v1/tickets/redeem', body);
  };
  const refusalOf = async (
    answer: Promise<{ readonly body: Readonly<Record<string, unknown>> }>,
  ) => {
    await lookup.audited();
    expect((await answer).body.code).toBe('lookup_refused');
    return (await lookup.audited()).map(({ detail }) => detail.reason);
  };

  test('an administrator of the application redeems a ticket once, and gets the credential of its person', async () => {
    const ticket = await issue('alice', 'wiki');
    expect((await redeem('clerk', 'wiki', ticket, 'Alice')).body).toMatchObject({
      application: 'wiki',
      userId: 'alice',
      password: 'word of alice in wiki',
    });
    expect(await refusalOf(redeem('clerk', 'wiki', ticket, 'alice'))).toEqual(['ticket_used']);
  });

  test('of many simultaneous redemptions of one ticket exactly one succeeds', async () => {
    const ticket = await issue('alice', 'wiki');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => redeem('clerk', 'wiki', ticket, 'alice')),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('the audit names who got, redeemed and misused a ticket', async () => {
    await lookup.audited();
    const ticket = await issue('alice', 'wiki');
    await redeem('bob', 'wiki', ticket, 'alice');
    await redeem('clerk', 'wiki', ticket, 'alice');
    const identity = expect.any(String);
    expect(await lookup.audited()).toMatchObject([
      { action: 'ticket.issued', detail: { subject: 'wiki', identity } },
      { action: 'credential.refused', detail: { reason: 'not_an_administrator', via: 'ticket' } },
      { action: 'credential.read', detail: { account: 'alice', via: 'ticket' } },
    ]);
  });

  test('a ticket is opaque: it shows no name, and no altered ticket is accepted', async () => {
    const ticket = await issue('alice', 'wiki');
    const bytes = Buffer.from(ticket, 'base64url');
    expect(bytes.includes('alice') || bytes.includes('wiki')).toBe(false);
    for (let at = 0; at < bytes.length; at += 13) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 1;
      const text = altered.toString('base64url');
      expect(await refusalOf(redeem('clerk', 'wiki', text, 'alice'))).toEqual(['ticket_invalid']);
    }
    expect((await redeem('clerk', 'wiki', ticket, 'alice')).status).toBe(200);
  });

  test('a ticket is redeemed only for its application, by an administrator, with the right sender', async () => {
    const ticket = await issue('alice', 'wiki');
    expect(await refusalOf(redeem('clerk', 'mail', ticket))).toEqual(['ticket_elsewhere']);
    expect(await refusalOf(redeem('alice', 'wiki', ticket, 'alice'))).toEqual([
      'not_an_administrator',
    ]);
    expect(await refusalOf(redeem('clerk', 'wiki', ticket, 'bob'))).toEqual(['sender_differs']);
    expect(await refusalOf(redeem('clerk', 'wiki', ticket))).toEqual(['sender_differs']);
    expect((await redeem('clerk', 'wiki', ticket, 'alice')).status).toBe(200);
  });

  test('an application that does not validate tickets needs no sender', async () => {
    expect((await redeem('clerk', 'mail', await issue('alice', 'mail'))).status).toBe(200);
  });

  test('a ticket ends after two minutes, or after the time of its application', async () => {
    const ends = async (application: string) => {
      const { body } = await lookup.send('alice', 'POST', '/v1/tickets', { application });
      return { ticket: String(body.ticket), inMs: Date.parse(String(body.expiresAt)) - Date.now() };
    };
    const usual = await ends('wiki');
    expect(usual.inMs).toBeGreaterThan(60_000);
    expect(usual.inMs).toBeLessThanOrEqual(120_000);
    const { ticket, inMs } = await ends('short');
    await sleep(inMs + 10);
    expect(await refusalOf(redeem('clerk', 'short', ticket, 'alice'))).toEqual(['ticket_used']);
  });

  test('no ticket is issued where the person has no credential, or the application no tickets', async () => {
    const asked = (person: string, application: string) =>
      refusalOf(lookup.send(person, 'POST', '/v1/tickets', { application }));
    expect(await asked('alice', 'none')).toEqual(['tickets_off']);
    expect(await asked('bob', 'wiki')).toEqual(['no_credential']);
    expect(await asked('alice', 'unknown')).toEqual(['application_unknown']);
  });

  test('the system switch ends the tickets of every application, also those that were issued', async () => {
    const ticket = await issue('alice', 'wiki');
    await lookup.configure(applications, { sso: { tickets: false } });
    expect(await refusalOf(redeem('clerk', 'wiki', ticket, 'alice'))).toEqual(['tickets_off']);
    const asked = lookup.send('alice', 'POST', '/v1/tickets', { application: 'wiki' });
    expect(await refusalOf(asked)).toEqual(['tickets_off']);
    await lookup.configure(applications);
  });

  test('a ticket ends with the API key that requested it', async () => {
    const ticket = await issue('leaver', 'wiki');
    await revokeApiKey(lookup.database.db, lookup.keyOf('leaver').id, 'test');
    expect(await refusalOf(redeem('clerk', 'wiki', ticket, 'leaver'))).toEqual(['issuer_revoked']);
  });
});
