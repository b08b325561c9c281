import { EqualityFilter } from 'ldapts';
import { z } from 'zod';
import { type NativeIds, search, textsOf, valuesOf } from '../../connectors/ldap/accounts';
import { sendModify } from '../../connectors/ldap/requests';
import { log } from '../../log';
import type { Secret } from '../../model/passwords/secret';
import type { HandedOver } from '../hand-over/protocol';
import { secretFrom } from '../secret-copy';
import { accountOf } from './ldap/accounts';
import { nameOf, openChangelog } from './ldap/changelog';
import { type LoggedChange, wanted } from './ldap/entries';
import { modificationsIn, withoutValuesOf } from './ldap/ldif';
import { openReader, type Reader, readerSettings } from './ldap/reader';
import type { Page, Poller, PollerKind, PollerTools } from './poller';

const settings = z.strictObject({
  ...readerSettings,
  erase: z
    .boolean()
    .default(false)
    .describe(
      'Erases each password from the changelog once the relay has stored it. The service account needs the right to write `changes` there.',
    ),
});

/**
 * Polls 389 Directory Server with its Retro Changelog plugin and `nsslapd-unhashed-pw-switch: on`. With these the changelog
 * holds each new password in plain text next to its hash.
 */
export const retroChangelog: PollerKind<z.infer<typeof settings>> = {
  kind: 'retro-changelog',
  settings,
  open: async (given, tools) => openRetroChangelog(given, tools),
};

/** Attribute of the password in plain text (`PSEUDO_ATTR_UNHASHEDUSERPASSWORD` in the source code of the server). */
const CLEAR = 'unhashed#user#password';
const HASH = 'userpassword';

const uniqueIds: NativeIds = {
  attributes: ['nsUniqueId'],
  binary: false,
  idsOf: (entry) => textsOf(entry, 'nsUniqueId'),
  filterFor: (id) => new EqualityFilter({ attribute: 'nsUniqueId', value: id }),
};

function openRetroChangelog(given: z.infer<typeof settings>, tools: PollerTools): Poller {
  const reader = openReader(given, tools);
  const changelog = openChangelog(reader, tools.checkpoint);
  /** DNs of the changelog entries that hold a plain-text password of a page. */
  const entriesOf = new WeakMap<Page, readonly string[]>();
  /** DNs of entries whose password is not erased yet. */
  const toErase = new Set<string>();
  let reportedHashes = false;

  /** Logs once when the changelog starts to hold hashes only. */
  function reportHashes(captures: readonly HandedOver[]): void {
    const hashes = captures.filter(({ hashed }) => hashed).length;
    if (hashes > 0 && !reportedHashes)
      log.error('the changelog holds hashes only: set nsslapd-unhashed-pw-switch to on', {
        count: hashes,
      });
    if (captures.length > 0) reportedHashes = hashes > 0;
  }
  return {
    moveTo: changelog.moveTo,
    async read() {
      const { changes, ...rest } = await changelog.read();
      const found = await capturesIn(reader, changes);
      const captures = found.map(({ capture }) => capture);
      reportHashes(captures);
      const page = { ...rest, captures };
      const inClear = found.filter(({ capture }) => !capture.hashed);
      entriesOf.set(
        page,
        inClear.map(({ entry }) => entry),
      );
      return page;
    },
    async acknowledge(page) {
      if (given.erase) for (const entry of entriesOf.get(page) ?? []) toErase.add(entry);
      try {
        for (const entry of toErase) {
          await erase(reader, entry);
          toErase.delete(entry);
        }
      } finally {
        await tools.checkpoint.moveTo(page.end);
      }
    },
    async close() {
      reader.close();
    },
  };
}

interface Found {
  readonly capture: HandedOver;
  /** DN of the changelog entry that holds it. */
  readonly entry: string;
}

async function capturesIn(reader: Reader, changes: readonly LoggedChange[]): Promise<Found[]> {
  const found: Found[] = [];
  try {
    for (const change of changes) {
      const set = passwordIn(change);
      if (set === null) continue;
      const account = await accountOf(reader, change, uniqueIds).catch((error) => {
        set.password.destroy();
        throw error;
      });
      if (account === null) set.password.destroy();
      else
        found.push({
          entry: change.dn,
          capture: {
            ...{ account: account.dn, ...set, current: null },
            ...{ capturedAt: change.time, sequence: nameOf(change) },
          },
        });
    }
    return found;
  } catch (error) {
    for (const { capture } of found) capture.password.destroy();
    throw error;
  } finally {
    for (const { changes: bytes } of changes) bytes.fill(0);
  }
}

/**
 * The password that a change sets; null if it sets none or if the password was erased. If it sets several values, this returns
 * the last: each of them works for a login.
 */
function passwordIn({
  type,
  changes,
}: LoggedChange): Pick<HandedOver, 'password' | 'hashed'> | null {
  if (type !== 'modify') return null;
  const all = modificationsIn(changes);
  const setting = (name: string) =>
    all.findLast(({ operation, attribute }) => operation !== 'delete' && attribute === name);
  try {
    const clear = setting(CLEAR);
    const value = (clear ?? setting(HASH))?.values.at(-1);
    if (value === undefined) return null;
    return { password: secretOf(value), hashed: clear === undefined };
  } finally {
    for (const { values } of all) for (const value of values) value.fill(0);
  }
}

/** Prefix with which an administrator sets a password that the server stores unhashed. The rest is the password. */
const CLEAR_SCHEME = '{clear}';

function secretOf(value: Buffer): Secret {
  const marked = value.toString('latin1', 0, CLEAR_SCHEME.length).toLowerCase() === CLEAR_SCHEME;
  const from = marked ? CLEAR_SCHEME.length : 0;
  return secretFrom(value.subarray(from));
}

const NO_SUCH_OBJECT = 32;

/** Erases only the password of a changelog entry: other readers of the changelog still see the change and its other values. */
async function erase(reader: Reader, entry: string): Promise<void> {
  await reader.ask(async (link) => {
    const reply = await search(link, entry, { scope: 'base', ...wanted });
    if (!reply.ok) return reply.code === NO_SUCH_OBJECT ? { ok: true, value: undefined } : reply;
    const [changes] = reply.value[0] ? valuesOf(reply.value[0], 'changes') : [];
    if (changes === undefined) return { ok: true, value: undefined };
    const bytes = Buffer.from(changes);
    if (Buffer.isBuffer(changes)) changes.fill(0);
    const without = withoutValuesOf(CLEAR, bytes);
    bytes.fill(0);
    return sendModify(link, entry, 'changes', without);
  });
}
