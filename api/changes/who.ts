import { z } from 'zod';
import type { WhichPerson } from '../../intake/person-reference';
import { text } from '../../model/api/fields';
import { accountName, personName, sourceName } from '../http/schemas';

/** How a request says whose password it is about. */

export const whoFields = {
  identity: personName.optional().describe('Whose password it is, by name.'),
  account: z
    .strictObject({ source: sourceName, name: accountName })
    .optional()
    .describe('Or by one of their accounts.'),
};

export const group = text(60)
  .optional()
  .describe(
    'Needed when the person is in groups with different auth sources. `source:` and a name means a source with a policy of its own.',
  );

interface Who {
  readonly identity?: string | undefined;
  readonly account?: { readonly source: string; readonly name: string } | undefined;
}

/** For `refine`. */
export const oneOfBoth = [
  (one: Who) => (one.identity === undefined) !== (one.account === undefined),
  { message: 'name the person by either identity or account' },
] as const;

export const personIn = ({ identity, account }: Who): WhichPerson =>
  account === undefined
    ? { name: identity ?? '' }
    : { source: account.source, account: account.name };
