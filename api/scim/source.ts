import type { z } from 'zod';
import {
  groupsFrom,
  type SourceConfiguration,
  type scimSchema,
  sourceNamed,
} from '../../model/configuration/document';
import type { Secret } from '../../model/passwords/secret';
import { inPlaintext } from '../../sealing/passwords';
import { type Caller, mayTouch } from '../../store/api-keys';
import { auditCapture } from '../../store/captures/fingerprints';
import { findScimAccount, type ScimFields } from '../../store/people/scim-users';
import { ingestCapture } from '../captures/ingest';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';

/** A source whose accounts an identity provider keeps. */
export interface ScimSource {
  readonly name: string;
  readonly settings: z.output<typeof scimSchema>;
  readonly correlate: SourceConfiguration['correlate'];
  readonly createIdentities: SourceConfiguration['createIdentities'];
}

/** @throws HttpProblem when it takes nothing over SCIM, or not from this key */
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
  return { name, settings, correlate, createIdentities };
}

/**
 * A password that the provider has pushed for a user. Whether it starts a change is judged as of any capture; whoever
 * pushed is content either way. SCIM does not tell when it was changed, so that is now.
 * @throws HttpProblem when it cannot be taken
 */
export async function takePushed(
  deps: Dependencies,
  caller: Caller,
  source: ScimSource,
  user: ScimFields,
  password: Secret,
): Promise<void> {
  const { account, now } = await findScimAccount(deps.db, source.name, user);
  const capture = {
    source: source.name,
    account: account ?? user.userName,
    capturedAt: now,
    repeats: true,
  };
  const refused = !source.settings.pushesRealPassword
    ? 'not_attested'
    : account === null
      ? 'unmapped'
      : null;
  if (refused === null)
    await ingestCapture(deps, caller, capture, () => inPlaintext(password, null), null);
  else await auditCapture(deps.db, capture, refused, actorOf(caller));
}
