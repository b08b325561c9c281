import { z } from 'zod';
import type { WhichPerson } from '../../intake/person-reference';
import { text } from '../../model/api/fields';
import { accountName, personName, sourceName } from './schemas';

/** The members of a request body that name the person: by name, or by one of their accounts. */

export const personFields = {
  identity: personName.optional().describe('The name of the person.'),
  account: z
    .strictObject({ source: sourceName, name: accountName })
    .optional()
    .describe('One of the accounts of the person, instead of the name.'),
};

export const group = text(60)
  .optional()
  .describe(
    'Required if the person is in groups with different auth sources. `source:` followed by a name means a source that has its own policy.',
  );

interface PersonFields {
  readonly identity?: string | undefined;
  readonly account?: { readonly source: string; readonly name: string } | undefined;
}

/** Arguments for `refine`: the body names the person in exactly one way. */
export const namedOnce = [
  (body: PersonFields) => (body.identity === undefined) !== (body.account === undefined),
  { message: 'name the person by either identity or account' },
] as const;

/** The same rule for the OpenAPI document. */
export const namedOnceSchemas = [{ required: ['identity'] }, { required: ['account'] }];

export const personIn = ({ identity, account }: PersonFields): WhichPerson =>
  account === undefined
    ? { name: identity ?? '' }
    : { source: account.source, account: account.name };
