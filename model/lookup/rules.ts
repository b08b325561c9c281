import {
  type Application,
  isAdministrator,
  isUser,
  mappedIdentity,
  type PeopleGroup,
} from '../configuration/application';
import type { Person } from '../people/correlation';

/**
 * Why the lookup service returns no credential. Only the audit has the reason: every caller gets the same answer after
 * the same time, so that no answer shows which applications, people and accounts exist.
 */
export const lookupRefusals = {
  application_unknown: 'no application has this name',
  application_disabled: 'the application is disabled',
  not_windows_initiated: 'people may not look up their credentials in this application',
  not_host_initiated: 'accounts of the application do not lead to credentials of their people',
  person_unknown: 'the person was removed',
  not_a_user: 'the person is not a user of the application',
  not_an_administrator: 'the person of the API key does not administer the application',
  no_shared_account: 'the person is in none of the groups that share an account',
  no_credential: 'there is no enabled mapping with a credential',
  account_needed: 'the person has several accounts there, and the request names none of them',
  account_unknown: 'no enabled mapping has this account',
  credential_out_of_sync:
    'the stored credential may be an old one, so no password is compared with it',
  tickets_off: 'the application has no tickets, or all tickets are switched off',
  ticket_invalid: 'the ticket was not issued by this service, or was altered',
  ticket_elsewhere: 'the ticket was issued for another application',
  ticket_used: 'the ticket has expired, or was redeemed before',
  issuer_revoked: 'the API key that requested the ticket is not accepted any more',
  sender_differs: 'the sender is not the person whom the ticket was issued to',
  password_differs: 'the password is not the stored one',
  guessing_blocked: 'earlier passwords were wrong, so further ones are blocked for a while',
} as const;

export type LookupRefusal = keyof typeof lookupRefusals;

export const isLookupRefusal = (code: unknown): code is LookupRefusal =>
  typeof code === 'string' && Object.hasOwn(lookupRefusals, code);

type PeopleGroups = Readonly<Record<string, PeopleGroup>>;
type Verdict = { readonly refused: LookupRefusal } | { readonly owner: string };

/**
 * Decides whose mapping is read for a person in an application: their own, or in a `group` application that of the
 * identity whose account they share.
 * @param initiator who begins: the person, or an account of another application that leads to this one
 */
export function ownerFor(
  application: Application | null,
  person: Person | null,
  groups: PeopleGroups,
  initiator: 'person' | 'host',
): Verdict {
  if (application === null) return { refused: 'application_unknown' };
  if (person === null) return { refused: 'person_unknown' };
  if (!application.enabled) return { refused: 'application_disabled' };
  if (initiator === 'person' && !application.windowsInitiated)
    return { refused: 'not_windows_initiated' };
  if (!isUser(application, person, groups)) return { refused: 'not_a_user' };
  const owner = mappedIdentity(application, person, groups);
  return owner === null ? { refused: 'no_shared_account' } : { owner };
}

/**
 * Chooses among stored credentials of an application.
 * @param account the account that the request names, in any case; null when it names none
 */
export function chosenCredential<Credential extends { readonly account: string }>(
  credentials: readonly Credential[],
  account: string | null,
): Credential | { readonly refused: LookupRefusal } {
  const wanted = account?.toLowerCase() ?? null;
  const matching = credentials.filter(
    (one) => wanted === null || one.account.toLowerCase() === wanted,
  );
  const exact = matching.find((one) => one.account === account);
  const [first, second] = exact === undefined ? matching : [exact];
  if (first === undefined) return { refused: 'no_credential' };
  return second === undefined ? first : { refused: 'account_needed' };
}

/** The first row that applies decides. */
const firstOf = (rows: readonly [boolean, LookupRefusal][]): LookupRefusal | null =>
  rows.find(([applies]) => applies)?.[1] ?? null;

/** The system switch is over the one of the application. */
export const hasTickets = (
  { tickets }: Pick<Application, 'tickets'>,
  sso: { readonly tickets: boolean },
): boolean => sso.tickets && tickets.allowed;

interface Redemption {
  readonly application: Application;
  readonly sso: { readonly tickets: boolean };
  readonly groups: PeopleGroups;
  /** The person of the API key that presents the ticket. */
  readonly redeemer: Person | null;
  /** What the ticket contains; null when it cannot be opened. */
  readonly ticket: { readonly application: string } | null;
  /** The person whom the ticket was issued to. */
  readonly holder: Person | null;
  /** Whether the API key that requested the ticket is still accepted. */
  readonly isIssuerValid: boolean;
  /** The application and the sender that the request names. */
  readonly wanted: { readonly application: string; readonly sender: string | null };
}

/** Why a ticket is not redeemed. Whether it has expired or was redeemed before is decided by the database. */
export const redemptionRefusal = (asked: Redemption): LookupRefusal | null =>
  firstOf([
    [!asked.application.enabled, 'application_disabled'],
    [!hasTickets(asked.application, asked.sso), 'tickets_off'],
    [!administers(asked), 'not_an_administrator'],
    [asked.ticket === null, 'ticket_invalid'],
    [asked.ticket?.application !== asked.wanted.application, 'ticket_elsewhere'],
    [!asked.isIssuerValid, 'issuer_revoked'],
    [asked.holder === null, 'person_unknown'],
    [asked.application.tickets.validated && !isSender(asked), 'sender_differs'],
  ]);

const administers = ({ application, redeemer, groups }: Redemption): boolean =>
  redeemer !== null && isAdministrator(application, redeemer, groups);

const isSender = ({ holder, wanted: { sender } }: Redemption): boolean =>
  holder?.name.toLowerCase() === sender?.toLowerCase();

/** Why an account of an application does not lead to the credentials of its person. */
export const hostRefusal = (
  application: Application,
  caller: Person | null,
  groups: PeopleGroups,
): LookupRefusal | null =>
  firstOf([
    [!application.enabled, 'application_disabled'],
    [caller === null || !isAdministrator(application, caller, groups), 'not_an_administrator'],
    [
      !application.hostInitiated ||
        !application.validatePassword ||
        application.leadsTo === undefined,
      'not_host_initiated',
    ],
  ]);
