/**
 * What a refresh reports about single accounts, with the remedy. Only `renamed` and `moved` need no action: the links
 * follow.
 */
export const linkReports = {
  renamed: 'have another name in the source now, by their lasting id. Their links follow.',
  moved: 'were moved in the source, by their lasting id. Their links follow.',
  name_taken:
    'have another name in the source now, by their lasting id, but another link holds that name. Passwords are still written by the id, and the stored name stays. The other link is reported here too: unlink it with "lockstep identities unlink", then run the refresh again.',
  id_renamed:
    'are not listed under the linked name, and the source gives their id to an account with another name. The source may give an id to another account, so the links stay unchanged and nothing is written. If it is the account of the same person, link it under its present name and unlink the old one.',
  recreated:
    'have another id than the linked account: they were deleted and created again, or another account took the name. Nothing is written to them. If the account belongs to the person, link it again with "lockstep identities set"; otherwise unlink it.',
  vanished:
    'are linked, and the source does not list them any more. If they were deleted, remove the links with "lockstep identities unlink"; if not, check which accounts the service account may read.',
  uncertain:
    'have the name or the id of a linked account, and it is not certain that they are that account. Nothing is linked or written to them. If such an account belongs to the person, link it under its present name with "lockstep identities set", and unlink the old name.',
  duplicate:
    'are linked twice, or listed twice under one name or id. Nothing is linked to them. Remove the wrong link with "lockstep identities unlink", or correct the source.',
  service_account:
    'are accounts with which Lockstep signs in. They are never linked, and their passwords are never changed. Remove the link if there is one.',
} as const;

export type LinkReportCode = keyof typeof linkReports;

export interface ReportedAccount {
  /** The name under which the account is linked, or listed if it is not linked. */
  readonly name: string;
  /** The name in the source now, if it differs. */
  readonly now: string | null;
  /** The person to whom the account is linked; null if it is not linked. */
  readonly person: string | null;
}

export type LinkReports = Readonly<Record<LinkReportCode, readonly ReportedAccount[]>>;
