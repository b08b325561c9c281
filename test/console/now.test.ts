import { verdictOf } from '../../console/desk/now-verdict';
import type { Presence } from '../../model/api/presence';
import type { Source } from '../../model/api/sources';
import { waitingSays } from '../../model/errors';

const presence: Presence = {
  waitingFor: null,
  ...{ engineProblems: [], engineLacks: [], keyStoreProblems: [], unsavedMasterKeys: [] },
  ...{ unservedSources: [], sealing: 'ready' },
};
const until = new Date('2026-11-29T03:30:00Z');

const source = (name: string, more: Partial<Source> = {}): Source => ({
  ...{ name, title: { en: name, de: name }, hint: null, kind: 'ldap', enabled: true },
  ...{ prove: 'always', lane: 'inline', maxPerSecond: null, maxAtOnce: null, groups: [] },
  ...{ servers: [], state: 'up', since: null, reason: null, says: '', pausedBy: null },
  ...{ pausedUntil: null, nextProbeAt: null, accounts: 0, waiting: 0, parked: 0 },
  refresh: { lastAt: null, failed: false, running: false, progress: null, nextAt: null },
  ...more,
});
const paused = (more: Partial<Source> = {}) => ({
  state: 'paused' as const,
  reason: 'source_paused' as const,
  says: waitingSays('source_paused'),
  ...more,
});
const down = { state: 'down', reason: 'unreachable' } as const;
const verdict = (...sources: Source[]) => verdictOf({ presence, sources });

describe('the sentence of the page Now', () => {
  test.each<[string, Source[], string, RegExp]>([
    ['nothing waits', [source('crm')], 'good', /^Nothing needs you now\.$/],
    [
      'one account waits',
      [source('crm', { waiting: 1 })],
      'busy',
      /^1 account waits; Lockstep retries it by itself\. Nothing needs you now\.$/,
    ],
    [
      'many accounts wait in several sources',
      [source('crm', { waiting: 2 }), source('wiki', { waiting: 40 })],
      'busy',
      /^42 accounts wait; Lockstep retries them by itself\. Nothing needs you now\.$/,
    ],
    [
      'one account is parked',
      [source('crm', { parked: 1 })],
      'bad',
      /^1 account is parked in crm until an operator retries or cancels it\.$/,
    ],
    [
      'accounts are parked in three sources',
      [source('crm', { parked: 1 }), source('mail', { parked: 1 }), source('wiki', { parked: 1 })],
      'bad',
      /^3 accounts are parked in crm, mail and wiki until an operator retries or cancels them\.$/,
    ],
    [
      'two sources are down',
      [source('crm', down), source('wiki', { ...down, waiting: 1 })],
      'busy',
      /^crm and wiki are down\. 1 account waits; .* Nothing needs you now\.$/,
    ],
    [
      'an operator has paused a source',
      [source('crm', paused({ waiting: 2 }))],
      'bad',
      /^crm is paused\. .* 2 accounts wait until the pause of crm ends\.$/,
    ],
    [
      'a pause ends by itself',
      [source('crm', paused({ pausedUntil: until, waiting: 1 }))],
      'busy',
      /^crm is paused until 29 Nov.*\. 1 account waits until the pause of crm ends\. Nothing needs you now\.$/,
    ],
    [
      'a source is in maintenance',
      [source('crm', paused({ pausedUntil: until, reason: 'source_in_maintenance' }))],
      'busy',
      /^crm is in maintenance until 29 Nov.*\. Nothing needs you now\.$/,
    ],
    [
      'a certificate is refused, which no retry repairs',
      [source('crm', { ...down, reason: 'certificate_refused', says: 'Renew it.' })],
      'bad',
      /^crm is down\. Renew it\.$/,
    ],
    ['a source is switched off', [source('crm', { ...down, enabled: false })], 'good', /^Nothing/],
  ])('says what matters when %s', (_title, sources, tone, says) => {
    expect(verdict(...sources)).toEqual({ tone, says: expect.stringMatching(says) });
  });

  test('names a source that no worker is bound to', () => {
    const state = { presence: { ...presence, unservedSources: ['dmz'] }, sources: [] };
    expect(verdictOf(state).says).toContain('No worker is bound to dmz');
  });
});
