import type { Fault } from './simulate';

interface PlantedFault extends Fault {
  readonly breaks: string;
  /** The first seed to try: the faults that only a rare schedule shows begin where one did. Default: 1. */
  readonly from?: number;
}

/**
 * Faults that a test plants, each with the promise that it breaks: a fix that is taken out again, or a bug for an
 * invariant of docs/architecture.md. The simulator must find every one of them.
 */
export const faults: Readonly<Record<string, PlantedFault>> = {
  'a capture does not claim its origin when it is accepted': {
    from: 54,
    breaks: 'I3 a capture claims its origin',
    sql: [
      {
        find: 'where a.id = accepted.origin_account_id',
        becomes: 'where false and a.id = accepted.origin_account_id',
      },
    ],
  },
  'a claim supersedes an older change before it is validated': {
    from: 68,
    breaks: 'I3 only a change that was validated supersedes another',
    sql: [
      { find: "then 'behind' else 'superseded'", becomes: "then 'superseded' else 'superseded'" },
    ],
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
  'a claim ignores newer claims': {
    breaks: 'I3 a capture claims its origin',
    sql: [{ find: /and (a\.claimed_seq <= \$\d+)/, becomes: 'and ($1 or true)' }],
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
    sql: [{ find: 'and ended_at is null returning id', becomes: 'and false returning id' }],
  },
  'an account that waits behind another change is sent to probe its source': {
    breaks: 'I2',
    sql: [
      { find: "order by o.reason is not distinct from 'account_in_use', random()", becomes: 'order by random()' },
    ],
  },
  'a rejected auth account counts as applied': {
    breaks: 'I4',
    sql: [
      {
        find: 'select label, source, role, state, reason',
        becomes:
          "select label, source, role, case when role = 'auth' and state = 'rejected' then 'applied' else state end as state, reason",
      },
    ],
  },
  'a rejected account ends the others of its change': {
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
    breaks: 'I6',
    sql: [
      { find: "json_build_object('state', o.state", becomes: "json_build_object('state', 'applied'" },
      { find: /and (a\.applied_seq = \$\d+) and m/, becomes: 'and ($1 or true) and m' },
    ],
  },
  'the mapping of an account in doubt is not flagged': {
    breaks: 'I6',
    sql: [{ find: "'inDoubt', o.in_doubt", becomes: "'inDoubt', false" }],
  },
  'a write in doubt is repeated without a look': {
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
        find: 'where ended_at is null and (attended_until',
        becomes: 'where false and (attended_until',
      },
    ],
  },
};
