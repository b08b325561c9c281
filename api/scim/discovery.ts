import { SCIM_USER } from '../../model/people/scim-filter';

/** The discovery documents of the SCIM service (RFC 7644 §4, RFC 7643 §5 to §7). */

const CORE = 'urn:ietf:params:scim:schemas:core:2.0';
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

export const MAX_PAGE_SIZE = 200;

export const listOf = (resources: readonly object[], total = resources.length, startIndex = 1) => ({
  schemas: [LIST],
  totalResults: total,
  startIndex,
  itemsPerPage: resources.length,
  Resources: resources,
});

export const serviceProviderConfig = {
  schemas: [`${CORE}:ServiceProviderConfig`],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MAX_PAGE_SIZE },
  changePassword: { supported: true },
  sort: { supported: false },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'API key',
      description: 'An API key of Lockstep with the scope `capture`, as a bearer token.',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig' },
};

export const userResourceType = {
  schemas: [`${CORE}:ResourceType`],
  id: 'User',
  name: 'User',
  endpoint: '/Users',
  description: 'An account of the source, as the provider sees it.',
  schema: SCIM_USER,
  meta: { resourceType: 'ResourceType' },
};

const attribute = (name: string, description: string, more: object = {}) => ({
  name,
  type: 'string',
  multiValued: false,
  description,
  required: false,
  caseExact: true,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
});

export const userSchema = {
  schemas: [`${CORE}:Schema`],
  id: SCIM_USER,
  name: 'User',
  description: 'Other attributes are accepted, but not stored.',
  attributes: [
    attribute('userName', 'The name of the account in the source.', {
      required: true,
      caseExact: false,
      uniqueness: 'server',
    }),
    attribute('externalId', 'The id of the user at the provider, which may be its permanent id.'),
    attribute('active', 'Stored, but without effect on any account.', { type: 'boolean' }),
    attribute('password', 'Written to the other accounts of the person.', {
      mutability: 'writeOnly',
      returned: 'never',
    }),
  ],
  meta: { resourceType: 'Schema' },
};
