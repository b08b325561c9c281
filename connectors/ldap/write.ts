import { setTimeout as sleep } from 'node:timers/promises';
import { AndFilter, type Change, type Entry, type Filter, NotFilter } from 'ldapts';
import type { Secret } from '../../model/passwords/secret';
import type { AccountRef, SetPasswordRequest, WriteAnswer } from '../contract';
import { type Accounts, accountFilter, search, textOf } from './accounts';
import { ASSERTION, AssertionControl, PasswordPolicyControl, PostReadControl } from './controls';
import type { Use } from './dialect';
import type { LdapRefusal, Link } from './link';
import { locate } from './locate';
import { ownAccount } from './own-account';
import { keptElsewhere, passedThrough, readsPasswords, schemeAt } from './pass-through';
import { classifyWrite } from './refusals';
import {
  answerOf,
  change,
  named,
  replace,
  replyOrNull,
  retryOnLoss,
  sendExop,
  sendModify,
} from './requests';
import { serverOf } from './server';
import type { LdapSettings } from './settings';
import type { LockValues, Vendor } from './vendors';
import { verifyByExop } from './verify-exop';

/** The result of an attempt to write, and what may have to be restored after it. */
interface Attempted {
  readonly answer: WriteAnswer;
  readonly dn: string;
  readonly vendor: Vendor;
  /** Values that another request must restore. */
  readonly cleared: LockValues;
  /** Whether the write may have caused a forced change. */
  readonly mayForceChange: boolean;
}

const CRITICAL_CONTROL_UNKNOWN = 12;
/**
 * Result codes of a write with an assertion after which the account must be read first: the assertion is false, the
 * server does not support assertions, or no entry has this name (the account may have been renamed, or spelled otherwise).
 */
const READ_FIRST = new Set([122, CRITICAL_CONTROL_UNKNOWN, 32, 34]);

/**
 * Returns a function that writes passwords and leaves everything else of the account unchanged.
 *
 * A modify request does that in one step: it asserts that the server would clear nothing, or else keeps the values in the
 * same request. The operation of RFC 3062 carries only the password. There, and on servers that cannot keep values in the
 * same request, the account is read before the write and restored after it; in between, a locked account is not locked.
 */
export function passwordWriter(settings: LdapSettings, accounts: Accounts) {
  let canAssert = true;
  const canRead = readsPasswords(settings);
  return async (use: Use, request: SetPasswordRequest): Promise<WriteAnswer> => {
    const attempted = await use(async (link) => {
      const { vendor } = await serverOf(link);
      const isHash = request.form !== 'plaintext';
      const looksHashed = !isHash && looksLikeHash(request.password);
      if (looksHashed && vendor.storesHashes) return refused(request, vendor);
      const byModify = isHash || wayToWrite(settings, vendor, looksHashed) === 'modify';
      const writing = { link, request, accounts, settings, vendor, byModify };
      const isOwn = await ownAccount(link, accounts);
      const mustRead = request.account.nativeId === null || isOwn(request.account);
      if (!byModify || !canAssert || mustRead || vendor.clearsAny === null)
        return readThenWrite(writing);
      if ((await canRead(link)) && (await schemeAt(link, request.account.name, settings)) !== null)
        return readThenWrite(writing);
      const asserted = await modifyAsserting(writing, vendor.clearsAny);
      if (typeof asserted === 'object') return asserted;
      canAssert = asserted !== CRITICAL_CONTROL_UNKNOWN;
      return readThenWrite(writing);
    });
    const answer = await restoreAfter(use, attempted);
    // A policy cannot check the quality of a hash, and then answers as for a weak password.
    const lowQuality = answer.result === 'rejected' && answer.reason === 'policy_quality';
    return lowQuality && request.form !== 'plaintext'
      ? { ...answer, reason: 'encoding_not_supported' }
      : answer;
  };
}

interface Writing {
  readonly link: Link;
  readonly request: SetPasswordRequest;
  readonly accounts: Accounts;
  readonly settings: LdapSettings;
  readonly vendor: Vendor;
  readonly byModify: boolean;
}

/** Returns how the next password is written: as the setting demands, if the server supports that. */
export function wayToWrite(
  { write }: LdapSettings,
  { ways }: Vendor,
  looksHashed: boolean,
): 'exop' | 'modify' {
  // OpenLDAP treats a modify value such as "{SSHA}…" as a hash and stores it unchanged.
  if (looksHashed && ways.includes('exop')) return 'exop';
  return ways.includes(write) ? write : ways[0];
}

const looksLikeHash = (password: Secret) =>
  password.use((bytes) => bytes[0] === 0x7b && bytes.includes(0x7d));

const bytesOf = (password: Secret) => password.use((bytes) => Buffer.from(bytes));

const nothingToRestore = ({ account }: SetPasswordRequest, vendor: Vendor) => ({
  dn: account.name,
  vendor,
  cleared: {},
  mayForceChange: false,
});

const refused = (request: SetPasswordRequest, vendor: Vendor): Attempted => ({
  ...nothingToRestore(request, vendor),
  answer: { result: 'rejected', reason: 'policy_quality', vendorCode: null },
});

const classifierFor =
  (vendor: Vendor, policy: PasswordPolicyControl) =>
  (refusal: LdapRefusal): WriteAnswer =>
    vendor.isSame(refusal, policy.error)
      ? { result: 'already_current' }
      : classifyWrite(refusal, policy.error);

/** Writes with an assertion that nothing would be cleared. @returns a result code if the account must be read first */
async function modifyAsserting(writing: Writing, clearsAny: Filter): Promise<Attempted | number> {
  const { link, request, accounts, settings, vendor } = writing;
  const { account, password } = request;
  const policy = new PasswordPolicyControl();
  const after = new PostReadControl(vendor.forced?.attribute ?? '1.1');
  const assertion = new AssertionControl(isStill(account, accounts, clearsAny));
  const controls = [policy, after, assertion];
  const value = bytesOf(password);
  const reply = await replyOrNull(
    sendModify(link, account.name, settings.passwordAttribute, value, [], controls),
  );
  if (reply?.ok === false && READ_FIRST.has(reply.code)) return reply.code;
  const answer = answerOf(reply, classifierFor(vendor, policy));
  return {
    ...nothingToRestore(request, vendor),
    answer: named(answer, account),
    mayForceChange: reply === null || after.values.some((value) => value === vendor.forced?.value),
  };
}

/** Matches the entry if it is the account. @param clearsAny matches entries from which a new password would clear a value */
function isStill(
  { nativeId }: AccountRef,
  { ids, settings }: Accounts,
  clearsAny: Filter | null,
): Filter {
  const isThis = nativeId === null ? null : ids.filterFor(nativeId);
  return new AndFilter({
    filters: [
      accountFilter(settings),
      ...(clearsAny === null ? [] : [new NotFilter({ filter: clearsAny })]),
      ...(isThis === null ? [] : [isThis]),
    ],
  });
}

async function readThenWrite(writing: Writing): Promise<Attempted> {
  const { link, request, accounts, settings, vendor, byModify } = writing;
  const unwritten = nothingToRestore(request, vendor);
  const { passwordAttribute } = settings;
  const attributes = [...vendor.readBefore, passwordAttribute];
  const located = await locate(link, request.account, accounts, attributes);
  if (!located.ok) return { ...unwritten, answer: classifyWrite(located, null) };
  if (!located.value.found) {
    const reason = located.value.problem;
    return { ...unwritten, answer: { result: 'rejected', reason, vendorCode: null } };
  }
  const { entry, account } = located.value;
  const elsewhere = passedThrough(entry, passwordAttribute);
  if (elsewhere !== null) return { ...unwritten, answer: keptElsewhere(elsewhere) };
  const state = vendor.view.accountStateOf(entry, []);
  if (vendor.losesLock && state.locked)
    return {
      ...unwritten,
      answer: { result: 'retry', reason: 'account_locked', vendorCode: null },
    };
  const cleared = vendor.clears(entry);
  const kept = byModify ? (vendor.keepingChanges?.(cleared) ?? null) : null;
  const restore = kept === null ? restoring(cleared) : [];
  // Writes the current values, to find out before the password is written whether they can be restored.
  const allowed = restore.length === 0 ? null : await change(link, entry.dn, restore);
  if (allowed?.ok === false) return { ...unwritten, answer: classifyWrite(allowed, null) };
  const policy = new PasswordPolicyControl();
  const isHash = request.form !== 'plaintext';
  const controls = [
    policy,
    ...vendor.controls(state, isHash),
    // The entry may get another name, and another entry its name, after it was read.
    ...(byModify && (await serverOf(link)).controls.has(ASSERTION)
      ? [new AssertionControl(isStill(account, accounts, null))]
      : []),
  ];
  const reply = await replyOrNull(
    byModify
      ? sendModify(
          link,
          entry.dn,
          passwordAttribute,
          bytesOf(request.password),
          kept ?? [],
          controls,
        )
      : sendExop(link, entry.dn, request.password, controls),
  );
  const classified = answerOf(reply, classifierFor(vendor, policy));
  const answer = isHash
    ? classified
    : await orCurrent(link, entry.dn, request.password, classified);
  return {
    answer: named(answer, account),
    dn: entry.dn,
    vendor,
    cleared: kept === null ? cleared : {},
    mayForceChange: vendor.forced !== null && !(vendor.forced.attribute in cleared),
  };
}

/**
 * A history rule also rejects the current password. If the server can verify passwords without a login, this turns such
 * a rejection into `already_current`.
 */
async function orCurrent(
  link: Link,
  dn: string,
  password: Secret,
  answer: WriteAnswer,
): Promise<WriteAnswer> {
  if (answer.result !== 'rejected' || !HISTORIES.has(answer.reason)) return answer;
  const verified = await replyOrNull(verifyByExop(link, dn, password));
  return verified?.result === 'holds' ? { result: 'already_current' } : answer;
}

const HISTORIES: ReadonlySet<string> = new Set(['policy', 'policy_history']);

const restoring = (cleared: LockValues): Change[] =>
  Object.entries(cleared).map(([attribute, value]) => replace(attribute, value));

/** Restores what the write cleared, also after a write without a reply, which the server may have carried out. */
async function restoreAfter(use: Use, attempted: Attempted): Promise<WriteAnswer> {
  const { answer, cleared } = attempted;
  if (answer.result !== 'applied' && answer.result !== 'ambiguous') return answer;
  const done = await retryOnLoss(use, (link) => restoreValues(link, attempted));
  return done || Object.keys(cleared).length === 0
    ? answer
    : { result: 'ambiguous', vendorCode: null };
}

async function restoreValues(
  link: Link,
  { dn, vendor, cleared, mayForceChange }: Attempted,
): Promise<void> {
  const { forced, clearsLate } = vendor;
  const changes = restoring(cleared);
  if (clearsLate && changes.length > 0) await untilCleared(link, dn, cleared);
  if (mayForceChange && forced !== null) {
    const entry = await read(link, dn, [forced.attribute]);
    if (entry !== null && textOf(entry, forced.attribute) === forced.value)
      changes.push(forced.undo);
  }
  if (changes.length > 0) await change(link, dn, changes);
}

/** The server clears all values in one step, a few milliseconds after its reply, or clears none. */
const READS = 20;
const BETWEEN_READS_MS = 25;

async function untilCleared(link: Link, dn: string, cleared: LockValues): Promise<void> {
  for (let reads = 0; reads < READS; reads++) {
    const entry = await read(link, dn, Object.keys(cleared));
    const stays = ([attribute, value]: [string, string]) =>
      entry !== null && textOf(entry, attribute) === value;
    if (!Object.entries(cleared).some(stays)) return;
    await sleep(BETWEEN_READS_MS);
  }
}

async function read(link: Link, dn: string, attributes: string[]): Promise<Entry | null> {
  const reply = await search(link, dn, { scope: 'base', attributes });
  return reply.ok ? (reply.value[0] ?? null) : null;
}
