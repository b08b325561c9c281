import type { Entry } from 'ldapts';
import { z } from 'zod';
import { textOf, valuesOf } from '../../connectors/ldap/accounts';
import { entryUuids } from '../../connectors/ldap/open';
import { log } from '../../log';
import { secretReference } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import type { HandedOver } from '../hand-over/protocol';
import { isAes256, openAes256, readAes256 } from './aes256';
import { accountOf } from './ldap/accounts';
import { nameOf, openChangelog } from './ldap/changelog';
import { type LoggedChange, timeIn } from './ldap/entries';
import { modificationsIn } from './ldap/ldif';
import { openReader, type Reader, readerSettings } from './ldap/reader';
import { type Poller, type PollerKind, type PollerTools, PollFailure } from './poller';

const settings = z.strictObject({
  ...readerSettings,
  definitions: z
    .record(
      z.string().regex(/^(?:[\da-f]{2})+$/i, 'must be the id of the definition in hex'),
      z.string().regex(secretReference, 'must be ${file:…} or ${env:…}'),
    )
    .describe('Passphrase of each encryption settings definition, by the id of the definition.'),
});

/**
 * Polls PingDirectory. Its changelog shows that a password was changed; the password itself is read from the account, where it
 * is stored in the reversible scheme `{AES256}`. If an account was changed several times, only the last password can be read.
 */
export const pingDirectory: PollerKind<z.infer<typeof settings>> = {
  kind: 'pingdirectory',
  settings,
  open: async (given, tools) => openPingDirectory(given, tools),
};

function openPingDirectory(given: z.infer<typeof settings>, tools: PollerTools): Poller {
  const reader = openReader(given, tools);
  const changelog = openChangelog(reader, tools.checkpoint);
  const passphrases = new Map(
    Object.entries(given.definitions).map(([id, reference]) => [id.toLowerCase(), reference]),
  );
  const passphraseOf = (definition: string): Secret => {
    const reference = passphrases.get(definition);
    // The checkpoint stays until an operator adds the passphrase: later passwords probably need the same one.
    if (reference === undefined) throw new PollFailure('not_supported', definition);
    try {
      return tools.resolve(reference);
    } catch {
      throw new PollFailure('not_supported', definition);
    }
  };
  return {
    moveTo: changelog.moveTo,
    async read() {
      const { changes, ...rest } = await changelog.read();
      const captures: HandedOver[] = [];
      try {
        for (const change of newestOfEach(changes.filter(setsPassword))) {
          const capture = await captureOf(reader, change, passphraseOf);
          if (capture !== null) captures.push(capture);
        }
      } catch (error) {
        for (const { password } of captures) password.destroy();
        throw error;
      }
      return { ...rest, captures };
    },
    acknowledge: ({ end }) => tools.checkpoint.moveTo(end),
    async close() {
      reader.close();
    },
  };
}

const PASSWORD = 'userPassword';
const CHANGED = 'pwdChangedTime';
const signals = [PASSWORD, CHANGED].map((attribute) => attribute.toLowerCase());

function setsPassword({ type, changes, touched }: LoggedChange): boolean {
  if (type !== 'modify') return false;
  const modifications = modificationsIn(changes);
  for (const { values } of modifications) for (const value of values) value.fill(0);
  changes.fill(0);
  const changed = [...touched, ...modifications.map(({ attribute }) => attribute)];
  return changed.some((attribute) => signals.includes(attribute));
}

/** The newest change of each account, in the order of the changelog. */
function newestOfEach(changes: readonly LoggedChange[]): readonly LoggedChange[] {
  const keyOf = ({ target, targetId }: LoggedChange) => targetId ?? target.toLowerCase();
  const newest = new Map(changes.map((change) => [keyOf(change), change]));
  return changes.filter((change) => newest.get(keyOf(change)) === change);
}

async function captureOf(
  reader: Reader,
  change: LoggedChange,
  passphraseOf: (definition: string) => Secret,
): Promise<HandedOver | null> {
  const entry = await accountOf(reader, change, entryUuids, [PASSWORD, CHANGED]);
  if (entry === null) return null;
  const password = await passwordIn(entry, passphraseOf);
  if (password === null) {
    log.error(
      'the relay cannot read a changed password: check the rights of its service account and the storage scheme',
      { account: entry.dn },
    );
    return null;
  }
  const changedAt = timeIn(textOf(entry, CHANGED) ?? '') ?? change.time;
  return {
    ...{ account: entry.dn, ...password, current: null },
    ...{ capturedAt: changedAt, sequence: nameOf(change) },
  };
}

/** The stored password of an entry; null if it cannot be read or is malformed. A value in any other scheme counts as a hash. */
async function passwordIn(
  entry: Entry,
  passphraseOf: (definition: string) => Secret,
): Promise<Pick<HandedOver, 'password' | 'hashed'> | null> {
  const stored = valuesOf(entry, PASSWORD).at(-1)?.toString() ?? null;
  if (stored === null) return null;
  if (!isAes256(stored)) return { password: Secret.fromText(stored), hashed: true };
  const encoded = readAes256(stored);
  if (encoded === null) return null;
  const passphrase = passphraseOf(encoded.definition);
  const password = await openAes256(encoded, passphrase).finally(() => passphrase.destroy());
  // The passphrase is wrong. The checkpoint stays until an operator corrects it.
  if (password === null) throw new PollFailure('not_supported', encoded.definition);
  return { password, hashed: false };
}
