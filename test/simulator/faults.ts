import type { Fault } from './simulate';

interface PlantedFault extends Fault {
  readonly breaks: string;
  /** The first seed to try: the faults that only a rare schedule shows begin where one did. Default: 1. */
  readonly from?: number;
}

/**
 * Faults that a test plants, each with the promise that it breaks: a fix that is taken out again, or a bug for an
 * invariant of docs/architecture.md. The simulator must find every one of them.
 *
 * Each invariant has a fault. The simulator cannot express all of an invariant; other tests prove the rest:
 *
 * | invariant | outside the simulator, because | proven by |
 * |---|---|---|
 * | I1 | its PostgreSQL is never killed and does not sync | `test/e2e/crashes.test.ts`, on a durable PostgreSQL |
 * | I2 | the retries of the real engine are only imitated | `test/e2e/crashes.test.ts`, `test/workflows/waiting.test.ts` |
 * | I8 | it has no logs, files or memory of processes to search | `test/e2e/canary.test.ts`, `test/api/memory.test.ts` |
 * | I9 | it has no relays, sign-ins or ends of epochs | `test/worker/relayed.test.ts`, `test/worker/sign-ins.test.ts`, `test/store/epochs.test.ts` |
 * | I10 | no one alters its records | `test/store/audit.test.ts` |
 * | I12 | no operator ends its workflows and its engine loses nothing | `test/worker/engine.test.ts`, `test/e2e/crashes.test.ts` |
 *
 * I3, I4, I5, I6, I7 and I11 are expressed whole: they are about the order of claims, writes and logins.
 */
export const faults: Readonly<Record<string, PlantedFault>> = {
  'a capture does not claim its origin when it is accepted': {
    from: 117,
    breaks: 'I3 a capture claims its origin',
    sql: [
      {
        find: 'where a.id = accepted.origin_account_id',
        becomes: 'where false and a.id = accepted.origin_account_id',
      },
    ],
  },
  'a claim supersedes an older change before it is validated': {
    from: 139,
    breaks: 'I3 only a change that was validated supersedes another',
    sql: [
      { find: "then 'behind' else 'superseded'", becomes: "then 'superseded' else 'superseded'" },
    ],
  },
  'a claim ignores newer claims': {
    from: 20,
    breaks: 'I3 the newest claim wins',
    sql: [{ find: /a\.claimed_seq <= (\$\d+)/, becomes: '(a.claimed_seq <= $1 or true)' }],
  },
  'a refused change keeps its claim': {
    from: 68,
    breaks: 'I3 only a change that was validated supersedes another',
    sql: [
      { find: 'case when recorded.released', becomes: 'case when false and recorded.released' },
      {
        find: 'and newer.ended_at is null',
        becomes: "and newer.ended_at is null and newer.state <> 'waiting'",
      },
    ],
  },
  'an accepted change is removed': {
    breaks: 'I1',
    sql: [
      {
        find: /delete from sealed_secret\s+where expires_at <= now\(\)/,
        becomes: 'delete from change where seq = 1 and ended_at is not null',
      },
    ],
  },
  'a change is not ended': {
    breaks: 'I2',
    sql: [{ find: /and ended_at is null\s+returning id/, becomes: 'and false returning id' }],
  },
  'a rejected auth account counts as applied': {
    from: 13,
    breaks: 'I4',
    sql: [
      {
        find: 'coalesce(r.state, o.state) as state',
        becomes:
          "case when o.role = 'auth' and r.state = 'rejected' then 'applied' else coalesce(r.state, o.state) end as state",
      },
    ],
  },
  'a rejected account ends the others of its change': {
    from: 44,
    breaks: 'I5',
    sql: [
      {
        find: 'o.change_id = c.id and o.label = r.label',
        becomes:
          "o.change_id = c.id and (o.label = r.label or (r.state = 'rejected' and o.role = 'member'))",
      },
    ],
  },
  'a mapping advances although its account was not changed': {
    from: 44,
    breaks: 'I6',
    sql: [
      {
        find: "json_build_object('state', o.state",
        becomes: "json_build_object('state', 'applied'",
      },
      { find: /and (a\.applied_seq = \$\d+) and m/, becomes: 'and ($1 or true) and m' },
    ],
  },
  'the mapping of an account in doubt is not flagged': {
    from: 1462,
    breaks: 'I6',
    sql: [{ find: "'inDoubt', o.in_doubt", becomes: "'inDoubt', false" }],
  },
  'a write in doubt is repeated without a look': {
    from: 865,
    breaks: 'I7',
    sql: [
      {
        find: `mine.in_doubt or mine.state = 'applying' as "inDoubt"`,
        becomes: 'false as "inDoubt"',
      },
    ],
  },
  'an activity returns a password': { breaks: 'I8 no password reaches the engine', leaks: true },
  'the password of an ended change is kept': {
    breaks: 'I8 the password of an ended change is destroyed',
    sql: [
      {
        find: 'delete from sealed_secret where change_id',
        becomes: 'delete from sealed_secret where false and change_id',
      },
    ],
  },
  'expired passwords are kept': {
    from: 124,
    breaks: 'I9',
    sql: [
      {
        find: /delete from sealed_secret\s+where expires_at <= now\(\)/,
        becomes: 'delete from sealed_secret where false',
      },
    ],
  },
  'the settlement of an account is not audited': {
    breaks: 'I10',
    sql: [
      {
        find: "select 'worker', 'account.' || state",
        becomes: "select 'worker', 'lost.' || state",
      },
    ],
  },
  'a connector logs in again and again': { breaks: 'I11', world: 'logs in three times' },
  'no workflow is started for a change': {
    breaks: 'I12',
    sql: [
      {
        find: 'where ended_at is null and coalesce(attended_until',
        becomes: 'where false and coalesce(attended_until',
      },
    ],
  },
};
