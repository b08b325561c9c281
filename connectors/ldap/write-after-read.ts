import type { Secret } from '../../model/passwords/secret';
import type { WriteAnswer } from '../contract';
import { ASSERTION, AssertionControl, PasswordPolicyControl } from './controls';
import type { Link } from './link';
import { locate } from './locate';
import { refusalFor } from './pass-through';
import { classifyWrite } from './refusals';
import { answerOf, change, named, replyOrNull, sendExop, sendModify } from './requests';
import { serverOf } from './server';
import { verifyByExop } from './verify-exop';
import { isStill } from './write-asserting';
import {
  type Attempted,
  bytesOf,
  classifierFor,
  nothingToRestore,
  restoring,
  type Writing,
} from './writing';

/** Reads the account, writes the password to its entry, and returns what must be restored. */
export async function readThenWrite(writing: Writing): Promise<Attempted> {
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
  const refusal = refusalFor(entry, passwordAttribute);
  if (refusal !== null) return { ...unwritten, answer: refusal };
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
    unasserted: byModify ? null : account,
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
