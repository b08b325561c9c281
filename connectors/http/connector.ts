import { randomBytes } from 'node:crypto';
import { Secret } from '../../model/passwords/secret';
import { isSameName } from '../../model/people/naming';
import type {
  AccountRef,
  ActRequest,
  Connector,
  Finding,
  FoundAccount,
  SourceFailure,
  StateAnswer,
} from '../contract';
import { act } from './act';
import { asInconclusive, asSourceFailure, failureOf } from './answers';
import { newCall } from './api';
import { connectedFindings, rightsFinding, unconnectedFindings, warning, wrong } from './checks';
import { linkedUser, type Users, withoutOwn } from './linked-user';
import { setPassword } from './set-password';
import type { Vendor } from './vendor';
import { write } from './write';

/** Parses a date of a vendor. Null if there is none, or it cannot be parsed. */
export function dateOf(text: string | null | undefined): Date | null {
  const date = new Date(text ?? '');
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Builds a connector from what differs between the APIs. */
export function connectorOver<User>(vendor: Vendor<User>): Connector {
  /** The users as the last writes have shown them, for the verifications that follow at once. */
  const writtenUsers = new WeakMap<AccountRef, User>();
  return {
    async find({ match, limit }) {
      const unknown = Object.keys(match).some((name) => !vendor.attributes.includes(name));
      if (unknown) return { result: 'failed', reason: 'not_supported', vendorCode: null };
      return orFailed(async () => {
        const signal = newCall();
        const found = await vendor.find(match, limit, signal);
        return { result: 'found', accounts: await withoutOwn(vendor, found, signal) };
      });
    },
    list: ({ cursor, pageSize }) =>
      orFailed(async () => {
        const signal = newCall();
        const { malformed, ...page } = await vendor.page(cursor, pageSize, signal);
        const accounts = await withoutOwn(vendor, page.accounts, signal);
        return { result: 'page', ...page, accounts, ...(malformed.length > 0 && { malformed }) };
      }),
    state: ({ account }) =>
      orFailed(async (): Promise<StateAnswer> => {
        const signal = newCall();
        const linked = await linkedUser(vendor, account, signal);
        if ('problem' in linked)
          return { result: 'failed', reason: linked.problem, vendorCode: null };
        const { user } = linked;
        return {
          result: 'state',
          account: vendor.refOf(user),
          ...(await vendor.state(user, signal)),
        };
      }),
    async setPassword(request) {
      if (isEmpty(request.password))
        return { result: 'rejected', reason: 'policy_too_short', vendorCode: null };
      const { answer, user } = await setPassword(vendor, request, newCall());
      if (answer.result === 'applied' && answer.account !== undefined && user !== null)
        writtenUsers.set(answer.account, user);
      return answer;
    },
    async verify(request) {
      if (vendor.verify === null)
        return { result: 'inconclusive', reason: 'not_supported', vendorCode: null };
      if (isEmpty(request.password)) return { result: 'differs', vendorCode: null };
      try {
        const signal = newCall();
        const known = request.written && writtenUsers.get(request.written);
        const first = known === undefined ? null : await vendor.verify(known, request, signal);
        if (first?.result === 'holds') return first;
        const linked = await linkedUser(vendor, request.account, signal);
        if ('problem' in linked)
          return { result: 'inconclusive', reason: linked.problem, vendorCode: null };
        const { naming, refOf } = vendor;
        const isSame =
          known !== undefined && isSameName(naming, refOf(known).name, refOf(linked.user).name);
        return first !== null && isSame ? first : await vendor.verify(linked.user, request, signal);
      } catch (error) {
        return asInconclusive(failureOf(error));
      }
    },
    ...(vendor.actions && { act: (request: ActRequest) => act(vendor, request, newCall()) }),
    check: () => check(vendor, newCall()),
    ...(vendor.policies && { policies: policiesOf(vendor.policies) }),
    close: async () => vendor.close(),
  };
}

const isEmpty = (password: Secret) => password.use((bytes) => bytes.length === 0);

const policiesOf =
  (policies: NonNullable<Vendor<unknown>['policies']>): NonNullable<Connector['policies']> =>
  () =>
    orFailed(() => policies(newCall()));

async function orFailed<T>(request: () => Promise<T>): Promise<T | SourceFailure> {
  try {
    return await request();
  } catch (error) {
    return asSourceFailure(failureOf(error));
  }
}

/** Returns the findings of `lockstep doctor` that are the same for every API. It changes nothing. */
async function check<User>(vendor: Vendor<User>, signal: AbortSignal): Promise<readonly Finding[]> {
  vendor.api.forget();
  let found: readonly FoundAccount[];
  try {
    found = (await vendor.page(null, 1, signal)).accounts;
  } catch (error) {
    return unconnectedFindings(failureOf(error));
  }
  const unanswered = await ownIdFinding(vendor, signal);
  if (unanswered !== null) return [...connectedFindings(found.length), unanswered];
  const unknownPassword = Secret.fromText(`Nobody-${randomBytes(12).toString('base64url')}-1`);
  try {
    const request = { password: unknownPassword };
    const { answer } = await write(vendor.api, vendor.writeToNoAccount(), request, signal);
    return [
      ...connectedFindings(found.length),
      rightsFinding(answer),
      ...(await furtherFindings(vendor, signal)),
    ];
  } catch (error) {
    return unconnectedFindings(failureOf(error));
  } finally {
    unknownPassword.destroy();
  }
}

/** Every write first reads which user the credential of Lockstep belongs to. Null if that read succeeds. */
async function ownIdFinding<User>(
  { ownId }: Users<User>,
  signal: AbortSignal,
): Promise<Finding | null> {
  try {
    await ownId(signal);
    return null;
  } catch (error) {
    const { vendorCode, reason } = failureOf(error);
    return wrong(
      'own-user',
      `The server fails to answer to which user the credential of Lockstep belongs (${vendorCode ?? reason}). Lockstep writes no account until it answers, because it must never write that user. Look for the cause in the server, or in a proxy in front of it.`,
    );
  }
}

/** The checks of one kind. Their failure does not hide the findings before them. */
async function furtherFindings<User>(
  vendor: Vendor<User>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  try {
    return await vendor.check(signal);
  } catch (error) {
    const { vendorCode, reason } = failureOf(error);
    return [
      warning(
        'further-checks',
        `The further checks of this kind failed (${vendorCode ?? reason}). Check the address, and any proxy in front of the server.`,
      ),
    ];
  }
}
