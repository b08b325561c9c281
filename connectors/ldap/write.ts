import { setTimeout as sleep } from 'node:timers/promises';
import { AndFilter, type Change, type Entry, type Filter, NotFilter } from 'ldapts';
import type { Secret } from '../../model/passwords/secret';
import type { AccountRef, SetPasswordRequest, WriteAnswer } from '../contract';
import { accountFilter, locate, type NativeIds, search, textOf } from './accounts';
import { AssertionControl, PasswordPolicyControl, PostReadControl } from './controls';
import type { Use } from './dialect';
import type { LdapRefusal, Link } from './link';
import { classifyWrite } from './refusals';
import { answerOf, change, heard, insist, replace, sendExop, sendModify } from './requests';
import { serverOf } from './server';
import type { LdapSettings } from './settings';
import type { LockValues, Vendor } from './vendors';
import { verifyByExop } from './verify-exop';

/** A write that was tried, and what may have to be put right after it. */
interface Tried {
  readonly answer: WriteAnswer;
  readonly dn: string;
  readonly vendor: Vendor;
  /** What another request gives back. */
  readonly taken: LockValues;
  /** A forced change may have appeared that was not there before. */
  readonly mayForceChange: boolean;
}

const CRITICAL_CONTROL_UNKNOWN = 12;
/** The assertion does not hold, or is not known, or there is no such entry (which may have moved). */
const LOOK_FIRST = new Set([122, CRITICAL_CONTROL_UNKNOWN, 32]);

/**
 * Writes passwords so that nothing else of the account changes.
 *
 * A modify does it in one request: it asserts that there is nothing to keep, and when there is, keeps it in the same step.
 * RFC 3062 knows only the password, so the account is read before and put right after; in between it is not locked. So it
 * is with servers that cannot keep anything in the same step.
 */
export function passwordWriter(settings: LdapSettings, ids: NativeIds) {
  let canAssert = true;
  return async (use: Use, request: SetPasswordRequest): Promise<WriteAnswer> => {
    const tried = await use(async (link) => {
      const { vendor } = await serverOf(link);
      const isHash = request.form !== 'plaintext';
      const looksHashed = !isHash && looksLikeHash(request.password);
      if (looksHashed && vendor.takesHashes) return refused(request, vendor);
      const byModify = isHash || wayOf(settings, vendor, looksHashed) === 'modify';
      const writing = { link, request, ids, settings, vendor, byModify };
      if (!byModify || !canAssert || vendor.takesFrom === null) return writeSeen(writing);
      const asserted = await modifyAsserting(writing, vendor.takesFrom);
      if (typeof asserted === 'object') return asserted;
      canAssert = asserted !== CRITICAL_CONTROL_UNKNOWN;
      return writeSeen(writing);
    });
    const answer = await mended(use, tried);
    // A policy cannot judge a hash, and says of that what it says of a bad password.
    const unjudged = answer.result === 'rejected' && answer.reason === 'policy_quality';
    return unjudged && request.form !== 'plaintext'
      ? { ...answer, reason: 'encoding_not_supported' }
      : answer;
  };
}

interface Writing {
  readonly link: Link;
  readonly request: SetPasswordRequest;
  readonly ids: NativeIds;
  readonly settings: LdapSettings;
  readonly vendor: Vendor;
  readonly byModify: boolean;
}

function wayOf({ write }: LdapSettings, { ways }: Vendor, looksHashed: boolean): 'exop' | 'modify' {
  // OpenLDAP takes a value of a modify that looks like "{SSHA}…" for a hash, and stores it as it is.
  if (looksHashed && ways.includes('exop')) return 'exop';
  return ways.includes(write) ? write : ways[0];
}

const looksLikeHash = (password: Secret) =>
  password.use((bytes) => bytes[0] === 0x7b && bytes.includes(0x7d));

const bytesOf = (password: Secret) => password.use((bytes) => Buffer.from(bytes));

const untouched = ({ account }: SetPasswordRequest, vendor: Vendor) => ({
  dn: account.name,
  vendor,
  taken: {},
  mayForceChange: false,
});

const refused = (request: SetPasswordRequest, vendor: Vendor): Tried => ({
  ...untouched(request, vendor),
  answer: { result: 'rejected', reason: 'policy_quality', vendorCode: null },
});

const judging =
  (vendor: Vendor, policy: PasswordPolicyControl) =>
  (refusal: LdapRefusal): WriteAnswer =>
    vendor.isSame(refusal, policy.error)
      ? { result: 'already_current' }
      : classifyWrite(refusal, policy.error);

/** @returns the result code instead when the account has to be looked at first */
async function modifyAsserting(writing: Writing, takesFrom: Filter): Promise<Tried | number> {
  const { link, request, ids, settings, vendor } = writing;
  const { account, password } = request;
  const policy = new PasswordPolicyControl();
  const after = new PostReadControl(vendor.forced?.attribute ?? '1.1');
  const plain = new AssertionControl(isPlain(account, ids, settings, takesFrom));
  const controls = [policy, after, plain];
  const value = bytesOf(password);
  const reply = await heard(
    sendModify(link, account.name, settings.passwordAttribute, value, [], controls),
  );
  if (reply?.ok === false && LOOK_FIRST.has(reply.code)) return reply.code;
  return {
    ...untouched(request, vendor),
    answer: answerOf(reply, judging(vendor, policy)),
    mayForceChange: reply === null || after.values.some((value) => value === vendor.forced?.value),
  };
}

/** It is the account that is meant, and a password change would take nothing from it. */
function isPlain(
  account: AccountRef,
  ids: NativeIds,
  settings: LdapSettings,
  takesFrom: Filter,
): Filter {
  const isThis = account.nativeId === null ? null : ids.filterFor(account.nativeId);
  return new AndFilter({
    filters: [
      accountFilter(settings),
      new NotFilter({ filter: takesFrom }),
      ...(isThis === null ? [] : [isThis]),
    ],
  });
}

async function writeSeen(writing: Writing): Promise<Tried> {
  const { link, request, ids, settings, vendor, byModify } = writing;
  const nothing = untouched(request, vendor);
  const located = await locate(link, request.account, ids, settings, vendor.seen);
  if (!located.ok) return { ...nothing, answer: classifyWrite(located, null) };
  if (located.value === null)
    return { ...nothing, answer: { result: 'rejected', reason: 'no_account', vendorCode: null } };
  const { entry, moved } = located.value;
  const standing = vendor.view.accountStateOf(entry, []);
  if (vendor.losesLock && standing.locked)
    return { ...nothing, answer: { result: 'retry', reason: 'account_locked', vendorCode: null } };
  const taken = vendor.takes(entry);
  const kept = byModify ? (vendor.keeping?.(taken) ?? null) : null;
  const restore = kept === null ? restoring(taken) : [];
  // Writes what is there already, to learn before the password is written whether it can be given back.
  const allowed = restore.length === 0 ? null : await change(link, entry.dn, restore);
  if (allowed?.ok === false) return { ...nothing, answer: classifyWrite(allowed, null) };
  const policy = new PasswordPolicyControl();
  const isHash = request.form !== 'plaintext';
  const controls = [policy, ...vendor.controls(standing, isHash)];
  const reply = await heard(
    byModify
      ? sendModify(
          link,
          entry.dn,
          settings.passwordAttribute,
          bytesOf(request.password),
          kept ?? [],
          controls,
        )
      : sendExop(link, entry.dn, request.password, controls),
  );
  const judged = answerOf(reply, judging(vendor, policy));
  const answer = isHash ? judged : await unlessHeld(link, entry.dn, request.password, judged);
  return {
    answer: moved && answer.result === 'applied' ? { ...answer, movedTo: entry.dn } : answer,
    dn: entry.dn,
    vendor,
    taken: kept === null ? taken : {},
    mayForceChange: vendor.forced !== null && !(vendor.forced.attribute in taken),
  };
}

/** A history refuses the password of now as well; where the server can be asked without harm, that is told apart. */
async function unlessHeld(
  link: Link,
  dn: string,
  password: Secret,
  answer: WriteAnswer,
): Promise<WriteAnswer> {
  if (answer.result !== 'rejected' || !HISTORIES.has(answer.reason)) return answer;
  const told = await heard(verifyByExop(link, dn, password));
  return told?.result === 'holds' ? { result: 'already_current' } : answer;
}

const HISTORIES: ReadonlySet<string> = new Set(['policy', 'policy_history']);

const restoring = (taken: LockValues): Change[] =>
  Object.entries(taken).map(([attribute, value]) => replace(attribute, value));

/** Also after a write without a reply, which may have been served. */
async function mended(use: Use, tried: Tried): Promise<WriteAnswer> {
  const { answer, taken } = tried;
  if (answer.result !== 'applied' && answer.result !== 'ambiguous') return answer;
  const done = await insist(use, (link) => mend(link, tried));
  return done || Object.keys(taken).length === 0
    ? answer
    : { result: 'ambiguous', vendorCode: null };
}

async function mend(link: Link, { dn, vendor, taken, mayForceChange }: Tried): Promise<void> {
  const { forced, takesLate } = vendor;
  const changes = restoring(taken);
  if (takesLate && changes.length > 0) await untilTaken(link, dn, taken);
  if (mayForceChange && forced !== null) {
    const entry = await read(link, dn, [forced.attribute]);
    if (entry !== null && textOf(entry, forced.attribute) === forced.value)
      changes.push(forced.undo);
  }
  if (changes.length > 0) await change(link, dn, changes);
}

/** The server takes everything in one step, a few milliseconds after its reply, or nothing at all. */
const LOOKS = 20;
const BETWEEN_LOOKS_MS = 25;

async function untilTaken(link: Link, dn: string, taken: LockValues): Promise<void> {
  for (let looks = 0; looks < LOOKS; looks++) {
    const entry = await read(link, dn, Object.keys(taken));
    const stays = ([attribute, value]: [string, string]) =>
      entry !== null && textOf(entry, attribute) === value;
    if (!Object.entries(taken).some(stays)) return;
    await sleep(BETWEEN_LOOKS_MS);
  }
}

async function read(link: Link, dn: string, attributes: string[]): Promise<Entry | null> {
  const reply = await search(link, dn, { scope: 'base', attributes });
  return reply.ok ? (reply.value[0] ?? null) : null;
}
