import type { Change, Control, Entry } from 'ldapts';
import type { AccountAction } from '../../model/people/account-actions';
import type { AccountRef, ActAnswer, ActRequest, WriteAnswer } from '../contract';
import { type Accounts, optionsFor, search } from './accounts';
import type { AccountState, View } from './dialect';
import type { Link } from './link';
import { locate } from './locate';
import { failureOf } from './read-refusals';
import { classifyWrite } from './refusals';

/** How a server ends a lock, or forces a change. */
export interface ServerAction {
  readonly changes: readonly Change[];
  /** Takes the changes back where the server ignores them. */
  readonly undo: readonly Change[];
  /** Attributes that `ignored` needs. */
  readonly attributes?: readonly string[];
  /**
   * Returns why the server would accept the changes and ignore them for this account, as a vendor code. Null if it would
   * not, or if the service account cannot find that out.
   */
  readonly ignored?: (link: Link, entry: Entry) => Promise<string | null>;
}

export type ServerActions = Readonly<Partial<Record<AccountAction, ServerAction>>>;

/** Names an entry in a way that is certain to mean the same account as when it was read. */
export type Aim = (
  link: Link,
  account: AccountRef,
) => Promise<{ readonly dn: string; readonly controls: Control[] }>;

interface Acting {
  readonly accounts: Accounts;
  readonly view: View;
  readonly actions: ServerActions;
  readonly aim: Aim;
}

/**
 * Carries out an action on the entry that the link means, unless its result is in force already, and then reads whether
 * it is in force. A repeat is harmless.
 */
export async function act(
  link: Link,
  { account, action }: ActRequest,
  { accounts, view, actions, aim }: Acting,
): Promise<ActAnswer> {
  const way = actions[action];
  if (way === undefined) return failed('not_supported');
  const controls = view.controls();
  const attributes = [...view.attributes, ...(way.attributes ?? [])];
  const located = await locate(link, account, accounts, attributes, controls);
  if (!located.ok) return failureOf(located);
  if (!located.value.found) return failed(located.value.problem);
  const { entry, account: found } = located.value;
  const ignored = (await way.ignored?.(link, entry)) ?? null;
  if (ignored !== null) return failed('not_supported', ignored);
  const state = view.accountStateOf(entry, controls);
  if (isInForce(action, state))
    return action === 'unlock' && state.disabled
      ? failed('account_disabled')
      : { result: 'already', account: found };
  const { dn, controls: only } = await aim(link, found);
  const reply = await link.ask((client) => client.modify(dn, [...way.changes], only));
  if (!reply.ok) return refusalOf(classifyWrite(reply, null));
  if (await takesEffect(link, dn, action, { accounts, view }))
    return { result: 'done', account: found };
  await link.ask((client) => client.modify(dn, [...way.undo]));
  return failed('not_supported', 'without_effect');
}

const isInForce = (action: AccountAction, { locked, mustChange }: AccountState): boolean =>
  action === 'unlock' ? !locked : mustChange;

/** Reads whether the action is in force. If the entry cannot be read, the reply to the change is trusted. */
async function takesEffect(
  link: Link,
  dn: string,
  action: AccountAction,
  { accounts, view }: Pick<Acting, 'accounts' | 'view'>,
): Promise<boolean> {
  const controls = view.controls();
  const options = { ...optionsFor(accounts.ids, [...view.attributes]), scope: 'base' as const };
  const reply = await search(link, dn, options, controls);
  const [entry] = reply.ok ? reply.value : [];
  if (entry === undefined) return true;
  return isInForce(action, view.accountStateOf(entry, controls));
}

type Failed = Extract<ActAnswer, { result: 'failed' }>;

const failed = (reason: Failed['reason'], vendorCode: string | null = null): Failed => ({
  result: 'failed',
  reason,
  vendorCode,
});

/** Translates the refusal of the change. @param answer what the same refusal of a password would mean */
const refusalOf = (answer: WriteAnswer): Failed =>
  'reason' in answer && answer.reason !== undefined
    ? failed(answer.reason, answer.vendorCode)
    : failed('unknown', 'vendorCode' in answer ? answer.vendorCode : null);
