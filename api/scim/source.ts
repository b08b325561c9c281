import type { z } from 'zod';
import { countCaptures } from '../../intake/capture-counter';
import { rulesIn } from '../../intake/find-person';
import {
  groupsFrom,
  type SourceConfiguration,
  type scimSchema,
  sourceNamed,
} from '../../model/configuration/document';
import type { Secret } from '../../model/passwords/secret';
import type { AccountRules } from '../../model/people/naming';
import { inPlaintext } from '../../sealing/passwords';
import { type Caller, mayTouch } from '../../store/api-keys';
import { auditCapture } from '../../store/captures/fingerprints';
import { findScimAccount, type ScimFields } from '../../store/people/scim-users';
import { ingestCapture } from '../captures/ingest';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';

/** A source whose accounts an identity provider manages over SCIM. */
export interface ScimSource {
  readonly name: string;
  readonly settings: z.output<typeof scimSchema>;
  readonly correlate: SourceConfiguration['correlate'];
  readonly createIdentities: SourceConfiguration['createIdentities'];
  readonly rules: AccountRules;
}

/**
 * The SCIM settings of a source.
 * @throws HttpProblem if SCIM is not enabled for the source, or the API key may not change its groups
 */
export async function scimSource(
  deps: Dependencies,
  caller: Caller,
  name: string,
): Promise<ScimSource> {
  const { configuration } = await deps.configuration();
  const source = sourceNamed(configuration, name);
  const groups = groupsFrom(configuration, name).map((group) => group.name);
  const settings = source?.enabled && source.capture?.enabled ? source.capture.scim : undefined;
  if (source === undefined || settings === undefined || !mayTouch(caller, { groups }))
    throw new HttpProblem('capture_disabled');
  const { correlate, createIdentities } = source;
  return { name, settings, correlate, createIdentities, rules: rulesIn(configuration, name) };
}

/**
 * Ingests a password that the provider has pushed for a user. It is evaluated like any other capture, and the provider
 * receives a success whether or not it starts a change. SCIM does not transmit when the password was changed, so the
 * current time is used.
 * @throws IntakeRejected if the password is rejected
 */
export async function ingestPushed(
  deps: Dependencies,
  caller: Caller,
  source: ScimSource,
  user: ScimFields,
  password: Secret,
): Promise<void> {
  const { account, now } = await findScimAccount(deps.db, source.name, source.rules.naming, user);
  const capture = {
    source: source.name,
    account: account ?? user.userName,
    capturedAt: now,
    repeats: true,
  };
  const declined = !source.settings.pushesRealPassword
    ? 'not_attested'
    : account === null
      ? 'unmapped'
      : null;
  if (declined === null)
    await ingestCapture(deps, caller, capture, () => inPlaintext(password, null), null, 'scim');
  else {
    countCaptures(source.name, 'scim', declined);
    await auditCapture(deps.db, capture, declined, actorOf(caller), source.rules.naming);
  }
}
