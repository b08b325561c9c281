/** Why a row of a list of mappings is not created. The list is closed; each code has its sentence here. */

const table = {
  repeated: { status: 'exists', says: 'An earlier row of the list is the same.' },
  mapped: { status: 'exists', says: 'The mapping exists already, and stays as it is.' },
  application_unknown: {
    status: 'unknown',
    says: 'There is no such application. "lockstep applications" lists them.',
  },
  identity_unknown: {
    status: 'unknown',
    says: 'There is no such person. Correct the name, or add the person.',
  },
  account_unknown: {
    status: 'unknown',
    says: 'The account is linked to no one. Link it with a refresh or "lockstep identities set", or import with --link.',
  },
  no_account: {
    status: 'unknown',
    says: 'The person has no account in the source of the application.',
  },
  several_people: {
    status: 'conflict',
    says: 'Several people have this name in another case. Write the name as it is stored.',
  },
  several_accounts: {
    status: 'conflict',
    says: 'The person has several accounts in the source of the application. Name one of them.',
  },
  account_of_another: { status: 'conflict', says: 'The account is linked to another person.' },
  linked_twice: {
    status: 'conflict',
    says: 'The account is linked twice. Unlink one of the two with "lockstep identities unlink".',
  },
  service_account: {
    status: 'conflict',
    says: 'Lockstep signs in with this account, so it belongs to no person.',
  },
  not_shared: {
    status: 'conflict',
    says: 'The application is of the type group, so only the identities of its list "shared" have a mapping.',
  },
  person_mapped: {
    status: 'conflict',
    says: 'The person has another mapping of this application, whose type allows one. Disable and delete that one first.',
  },
  account_twice_in_list: {
    status: 'conflict',
    says: 'The list gives this account to several people.',
  },
  several_in_list: {
    status: 'conflict',
    says: 'The list gives this person several accounts of an application whose type allows one.',
  },
} as const satisfies Record<string, ReasonRow>;

interface ReasonRow {
  readonly status: 'exists' | 'unknown' | 'conflict';
  /** What is in the way, and what to do next. */
  readonly says: string;
}

export type MappingRowReason = keyof typeof table;

export const mappingRowReasons: Readonly<Record<MappingRowReason, ReasonRow>> = table;

export const mappingRowStatuses = ['create', 'created', 'exists', 'conflict', 'unknown'] as const;
export type MappingRowStatus = (typeof mappingRowStatuses)[number];

/** The most rows of one request, and the most people of one page for whom names are generated. */
export const MAX_MAPPING_ROWS = 10_000;
