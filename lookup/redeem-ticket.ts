import { z } from 'zod';
import { smallBody } from '../api/http/route';
import { text } from '../model/api/fields';
import { applicationNamed } from '../model/configuration/document';
import { type LookupRefusal, redemptionRefusal } from '../model/lookup/rules';
import type { Caller } from '../store/api-keys';
import { writeAudit } from '../store/audit';
import { isKeyAccepted, redeemTicket as markRedeemed } from '../store/lookup';
import { recordOf, refuse } from './audit';
import { credentialAnswer } from './credential-answer';
import type { LookupDependencies } from './dependencies';
import { type Found, findCredential, type Refused } from './find-credential';
import { openCredential } from './master-keys';
import { lookupRoute } from './route';
import { openTicket, type Ticket } from './ticket';

const body = z.strictObject({
  application: text(200),
  ticket: text(4096),
  sender: text(255).optional(),
  account: text(1024).optional(),
});

/** Returns the credential of the person of a ticket to an administrator of the application, once. */
export const redeemTicket = lookupRoute({
  method: 'post',
  path: '/v1/tickets/redeem',
  body: smallBody(body),
  handle: async (deps, { caller, body: wanted }) => {
    const ticket = await openTicket(deps.keys, wanted.ticket);
    const identity = ticket?.identityId ?? null;
    const detail = { identity, via: 'ticket', ticket: ticket?.id ?? null };
    const asked = { application: wanted.application, detail };
    const found = await redeemable(deps, caller, ticket, wanted);
    if ('refused' in found) return refuse(deps, caller, asked, found.refused);
    const secret = await openCredential(deps.keys, found.credential.value);
    try {
      const { account } = found.credential.value;
      const read = { ...detail, account };
      const isFirst = await deps.db.transaction().execute(async (trx) => {
        if (!(await markRedeemed(trx, found.ticket))) return false;
        await writeAudit(trx, recordOf(caller, 'credential.read', wanted.application, read));
        return true;
      });
      if (!isFirst) return await refuse(deps, caller, asked, 'ticket_used');
      return credentialAnswer(wanted.application, found, secret);
    } finally {
      secret.destroy();
    }
  },
});

/** Checks a ticket, apart from its end and an earlier redemption, and finds the credential of its person. */
async function redeemable(
  deps: LookupDependencies,
  caller: Caller,
  ticket: Ticket | null,
  wanted: z.output<typeof body>,
): Promise<(Found & { readonly ticket: Ticket }) | Refused> {
  const configuration = await deps.reads.configuration();
  const redeemer = await deps.reads.person(caller.identityId ?? '');
  const holder = await deps.reads.person(ticket?.identityId ?? '');
  const isIssuerValid = await isKeyAccepted(deps.db, ticket?.keyId ?? '');
  const found = await findCredential(deps, configuration, {
    application: wanted.application,
    identityId: ticket?.identityId ?? '',
    account: wanted.account ?? null,
    initiator: 'person',
  });
  const application = applicationNamed(configuration, wanted.application) ?? null;
  if (application === null) return { refused: 'application_unknown' };
  const refused: LookupRefusal | null = redemptionRefusal({
    ...{ application, redeemer, ticket, holder, isIssuerValid },
    sso: configuration.sso,
    groups: configuration.peopleGroups,
    wanted: { application: wanted.application, sender: wanted.sender ?? null },
  });
  if (refused !== null || ticket === null) return { refused: refused ?? 'ticket_invalid' };
  return 'refused' in found ? found : { ...found, ticket };
}
