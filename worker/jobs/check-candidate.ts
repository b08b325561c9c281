import { Misconfigured } from '../../config';
import type { Connector, FoundAccount } from '../../connectors/contract';
import type { CandidateCheck, Finding, PreviewedAccount } from '../../model/api/job-results';
import { errors } from '../../model/errors';
import { isSecretLooking } from '../../model/people/secret-attributes';
import { shownName } from './list-accounts';

/** The settings of a source that the configuration does not have yet. They hold references to secrets, never secrets. */
export interface Candidate {
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Opens a connector for one check. The caller closes it. */
export type OpenCandidate = (candidate: Candidate) => Promise<Connector>;

/** Accounts that the preview shows. */
const PREVIEWED = 5;

/**
 * Checks a source that is not configured yet, and reads its first accounts. It stores nothing but its result, links no
 * account and wakes no account.
 */
export async function checkCandidate(
  open: OpenCandidate,
  candidate: Candidate,
): Promise<CandidateCheck> {
  let connector: Connector;
  try {
    connector = await open(candidate);
  } catch (error) {
    // The file of a certificate, for example, cannot be read.
    if (!(error instanceof Misconfigured)) throw error;
    return unusable([{ check: 'settings', verdict: 'wrong', says: error.message }]);
  }
  try {
    const findings = await connector.check();
    if (findings.some(({ verdict }) => verdict === 'wrong')) return unusable(findings);
    const reported = await connector.policies?.();
    return {
      findings,
      policies: reported?.result === 'policies' ? reported.policies : [],
      ...(await previewOf(connector)),
    };
  } finally {
    await connector.close();
  }
}

const unusable = (findings: readonly Finding[]): CandidateCheck => ({
  findings,
  policies: [],
  accounts: [],
  listing: null,
});

async function previewOf(
  connector: Connector,
): Promise<Pick<CandidateCheck, 'accounts' | 'listing'>> {
  const page = await connector.list({ cursor: null, pageSize: PREVIEWED });
  return page.result === 'failed'
    ? { accounts: [], listing: errors[page.reason].says }
    : { accounts: page.accounts.slice(0, PREVIEWED).map(previewed), listing: null };
}

/** The attributes may name one that holds a password or its hash, which no person may see. */
const previewed = (account: FoundAccount): PreviewedAccount => ({
  name: shownName(account),
  attributes: Object.fromEntries(
    Object.entries(account.attributes).flatMap(([name, [value]]) =>
      value === undefined
        ? []
        : [
            [
              name,
              isSecretLooking(name, value)
                ? null
                : value.replaceAll('\0', '\ufffd').replace(/\p{Cs}/gu, '\ufffd'),
            ],
          ],
    ),
  ),
});
