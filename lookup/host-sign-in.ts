import { z } from 'zod';
import { secretText } from '../api/http/input';
import { smallBody } from '../api/http/route';
import { text } from '../model/api/fields';
import { applicationNamed } from '../model/configuration/document';
import { chosenCredential, hostRefusal, type LookupRefusal } from '../model/lookup/rules';
import { normalized } from '../model/passwords/normalize';
import type { Secret } from '../model/passwords/secret';
import type { Caller } from '../store/api-keys';
import { readCredentialsOfAccount, type StoredCredential } from '../store/lookup';
import { guardOf } from '../store/worker/login-guard';
import { recordOf, refuse } from './audit';
import { credentialAnswer } from './credential-answer';
import type { LookupDependencies } from './dependencies';
import { type Found, findCredential, type Refused } from './find-credential';
import { type MasterKeys, openCredential } from './master-keys';
import { lookupRoute } from './route';

const body = z.strictObject({
  application: text(200),
  userId: text(1024),
  password: secretText,
});

/**
 * Compares the user id and password of an account of an application with the stored credential. If they match, it returns
 * the credential of the same person in the application that `leadsTo` names.
 */
export const hostSignIn = lookupRoute({
  method: 'post',
  path: '/v1/host-sign-ins',
  body: smallBody(body),
  handle: async (deps, { caller, body: { application, userId, password } }) => {
    const asked = await hostAccount(deps, caller, application, userId);
    const { host } = asked;
    const detail = {
      via: 'host',
      ...(host !== null && {
        ...{ identity: host.identityId, hostAccount: host.account, hostApplication: application },
      }),
    };
    const refused = 'refused' in asked ? asked.refused : await verify(deps, asked.host, password);
    if (refused !== null || 'refused' in asked)
      return refuse(deps, caller, { application, detail }, refused ?? 'account_unknown');
    const secret = await openCredential(deps.keys, asked.found.credential.value);
    try {
      const read = { ...detail, account: asked.found.credential.value.account };
      await deps.audit.write(recordOf(caller, 'credential.read', asked.target, read), false);
      return credentialAnswer(asked.target, asked.found, secret);
    } finally {
      secret.destroy();
    }
  },
});

interface HostAccount {
  readonly host: StoredCredential;
  /** The name of the application whose credential is returned. */
  readonly target: string;
  readonly found: Found;
}

/** Finds the account, and the credential that it leads to, before any password is compared. */
async function hostAccount(
  deps: LookupDependencies,
  caller: Caller,
  name: string,
  userId: string,
): Promise<HostAccount | (Refused & { readonly host: StoredCredential | null })> {
  const configuration = await deps.reads.configuration();
  const person = await deps.reads.person(caller.identityId ?? '');
  const application = applicationNamed(configuration, name) ?? null;
  const chosen = chosenCredential(await readCredentialsOfAccount(deps.db, name, userId), userId);
  const host = 'refused' in chosen ? null : chosen;
  const target = application?.leadsTo ?? '';
  const found = await findCredential(deps, configuration, {
    ...{ application: target, account: null, initiator: 'host' },
    identityId: host?.identityId ?? '',
  });
  if (application === null) return { refused: 'application_unknown', host: null };
  const refused = hostRefusal(application, person, configuration.peopleGroups);
  if (refused !== null) return { refused, host };
  if (host === null) return { refused: 'account_unknown', host };
  // It may be an older password, which others may know by now.
  if (host.state !== 'in_sync') return { refused: 'credential_out_of_sync', host };
  return 'refused' in found ? { ...found, host } : { host, target, found };
}

/** Compares a password with a stored credential, under the guard of the account that sign-ins have. */
async function verify(
  { db, keys }: LookupDependencies,
  host: StoredCredential,
  password: Secret,
): Promise<LookupRefusal | null> {
  const guard = guardOf(db, host.accountId);
  if (!(await guard.open())) return 'guessing_blocked';
  let result: 'holds' | 'differs' | 'unknown' = 'unknown';
  try {
    result = (await isStored(keys, host, password)) ? 'holds' : 'differs';
  } finally {
    await guard.settle(result);
  }
  return result === 'holds' ? null : 'password_differs';
}

/** A person may have typed it in another Unicode form than the one in which Lockstep sets passwords. */
async function isStored(
  keys: MasterKeys,
  host: StoredCredential,
  password: Secret,
): Promise<boolean> {
  const stored = await openCredential(keys, host);
  const inNormalForm = normalized(password);
  try {
    return stored.equals(password) || stored.equals(inNormalForm);
  } finally {
    stored.destroy();
    inNormalForm.destroy();
  }
}
