import { log } from '../../log';
import type { Secret } from '../../model/passwords/secret';
import type { Known, Violation } from '../../model/policy/checks';
import type { PolicyRules } from '../../model/policy/presets';
import { violations } from '../../model/policy/violations';
import { shortName } from '../../model/policy/word-list';
import type { IdentityView } from '../../store/people/identities';
import { IntakeRejected } from '../rejected';
import { dictionaryOf, isBlocklisted, PolicyFileError } from './files';
import { openStrengthEstimator } from './strength';

export interface PolicyChecker {
  /**
   * Returns every rule that this password of this person breaks.
   * @throws IntakeRejected `policy_file_unreadable` when a file of the policy cannot be read
   */
  violations(
    rules: PolicyRules,
    person: Pick<IdentityView, 'name' | 'attributes' | 'accounts'>,
    password: Secret,
  ): Promise<readonly Violation[]>;
  close(): Promise<void>;
}

export function openPolicyChecker(): PolicyChecker {
  const estimator = openStrengthEstimator();
  return {
    async violations(rules, person, password) {
      const compared = await comparisons(rules, password);
      const strength = rules.minStrength > 0 ? await estimator.estimate(password) : null;
      return violations(rules, password, { ...wordsAbout(person), ...compared, strength });
    },
    close: estimator.close,
  };
}

async function comparisons(
  { dictionary, blocklist }: PolicyRules,
  password: Secret,
): Promise<Pick<Known, 'dictionary' | 'blocklisted'>> {
  try {
    return {
      dictionary: await dictionaryOf(dictionary),
      blocklisted: await isBlocklisted(blocklist, password),
    };
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error;
    log.error('a file that a policy names cannot be used; run "lockstep plan" to see which', {
      error,
    });
    throw new IntakeRejected('policy_file_unreadable');
  }
}

const wordsAbout = ({
  name,
  attributes,
  accounts,
}: Pick<IdentityView, 'name' | 'attributes' | 'accounts'>): Pick<
  Known,
  'identity' | 'accountNames' | 'accountIds'
> => ({
  identity: [name, ...Object.values(attributes)],
  accountNames: accounts.map((account) => shortName(account.name)),
  accountIds: accounts.flatMap((account) => [account.name, account.nativeId ?? '']),
});
