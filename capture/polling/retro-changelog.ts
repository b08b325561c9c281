import { EqualityFilter } from 'ldapts';
import { z } from 'zod';
import { type NativeIds, search, textOf, valuesOf } from '../../connectors/ldap/accounts';
import { sendModify } from '../../connectors/ldap/requests';
import { log } from '../../log';
import { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import type { HandedOver } from '../hand-over/protocol';
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
      'Takes each password out of the changelog once the relay has it for good. The service account may write `changes` there.',
    ),
});

/**
 * 389 Directory Server, with its Retro Changelog plugin and `nsslapd-unhashed-pw-switch: on`: then the changelog holds each
 * new password in clear, beside its hash.
 */
export const retroChangelog: PollerKind<z.infer<typeof settings>> = {
  kind: 'retro-changelog',
  settings,
  open: async (given, tools) => openRetroChangelog(given, tools),
};

/** What the plugin calls the password in clear (`PSEUDO_ATTR_UNHASHEDUSERPASSWORD` in the source of the server). */
const CLEAR = 'unhashed#user#password';
const HASH = 'userpassword';

const uniqueIds: NativeIds = {
  attribute: 'nsUniqueId',
  binary: false,
  idOf: (entry) => textOf(entry, 'nsUniqueId'),
  filterFor: (id) => new EqualityFilter({ attribute: 'nsUniqueId', value: id }),
};

function openRetroChangelog(given: z.infer<typeof settings>, tools: PollerTools): Poller {
  const reader = openReader(given, tools);
  const changelog = openChangelog(reader, tools.place);
  /** Entries that hold a password of a page. */
  const written = new WeakMap<Page, readonly string[]>();
  /** What could not be erased yet. */
  const owed = new Set<string>();
  let told = false;

  function tellOfHashes(captures: readonly HandedOver[]): void {
    const hashes = captures.filter(({ hashed }) => hashed).length;
    if (hashes > 0 && !told)
      log.error('the changelog holds hashes only: see nsslapd-unhashed-pw-switch', {
        count: hashes,
      });
    told = captures.length === 0 ? told : hashes > 0;
  }
  return {
    moveTo: changelog.moveTo,
    async read() {
      const { changes, ...rest } = await changelog.read();
      const found = await capturesIn(reader, changes);
      const captures = found.map(({ capture }) => capture);
      tellOfHashes(captures);
      const page = { ...rest, captures };
      const inClear = found.filter(({ capture }) => !capture.hashed);
      written.set(
        page,
        inClear.map(({ entry }) => entry),
      );
      return page;
    },
    async acknowledge(page) {
      if (given.erase) for (const entry of written.get(page) ?? []) owed.add(entry);
      try {
        for (const entry of owed) {
          await erase(reader, entry);
          owed.delete(entry);
        }
      } finally {
        await tools.place.moveTo(page.end);
      }
    },
    async close() {
      reader.close();
    },
  };
}

interface Found {
  readonly capture: HandedOver;
  /** In which it was. */
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

/** Null when it sets none, or when it was erased. Of several values the last: each of them is good for a login. */
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

/** Set by whom no rule binds, with the scheme that keeps it as it is: the server takes the rest for the password. */
const AS_IT_IS = '{clear}';

function secretOf(value: Buffer): Secret {
  const marked = value.toString('latin1', 0, AS_IT_IS.length).toLowerCase() === AS_IT_IS;
  const from = marked ? AS_IT_IS.length : 0;
  const own = zeroableBytes(value.length - from);
  value.copy(own, 0, from);
  return Secret.of(own);
}

const NO_SUCH_OBJECT = 32;

/** Only the password: whoever else reads the changelog still sees that there was a change, and all else of it. */
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
