import { z } from 'zod';
import { smallBody } from '../api/http/route';
import { text } from '../model/api/fields';
import { hasTickets } from '../model/lookup/rules';
import { newId } from '../store/ids';
import { readNow } from '../store/lookup';
import { recordOf, refuse } from './audit';
import { findCredential } from './find-credential';
import { newestKey } from './master-keys';
import { lookupRoute } from './route';
import { sealTicket } from './ticket';

/** Issues a ticket for the person whom the API key is bound to, and for no one else. */
export const issueTicket = lookupRoute({
  method: 'post',
  path: '/v1/tickets',
  body: smallBody(z.strictObject({ application: text(200) })),
  handle: async (deps, { caller, body: { application } }) => {
    const { db } = deps;
    const configuration = await deps.reads.configuration();
    const identityId = caller.identityId ?? '';
    const asked = { application, detail: { identity: identityId, via: 'ticket' } };
    const wanted = { application, identityId, account: null, initiator: 'person' } as const;
    const found = await findCredential(deps, configuration, wanted);
    const now = await readNow(db);
    if ('refused' in found) return refuse(deps, caller, asked, found.refused);
    const { tickets } = found.application;
    if (!hasTickets(found.application, configuration.sso))
      return refuse(deps, caller, asked, 'tickets_off');
    const seconds = tickets.timeoutSeconds ?? configuration.sso.ticketTimeoutSeconds;
    const ticket = {
      id: newId('tkt'),
      keyId: caller.keyId,
      expiresAt: new Date(now.getTime() + seconds * 1000),
      ...{ identityId, application },
    };
    const sealed = sealTicket(await newestKey(deps.keys), ticket);
    const detail = { identity: identityId, ticket: ticket.id };
    await deps.audit.write(recordOf(caller, 'ticket.issued', application, detail), false);
    return { ticket: sealed, application, expiresAt: ticket.expiresAt };
  },
});
