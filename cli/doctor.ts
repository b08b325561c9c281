import type { Finding } from '../model/api/job-results';
import { verificationSays } from '../model/audit/verification';
import { engineProblems } from '../model/engine-problem';
import { errors } from '../model/errors';
import { keyStoreSays } from '../model/key-store-problem';
import { deliveryReasons } from '../model/notices/retry';
import type { NoticeChannels, Presence } from './http/answers';
import type { Api } from './http/api';
import { isRefused, runJob, runVerification } from './http/jobs';
import { ApiProblem } from './http/refusals';

/** The checks of `lockstep doctor`: first the API, its key and the worker, then each source. */

const CHECK_WAIT_SECONDS = 60;
/** A long audit takes more; `lockstep audit verify` waits for it. */
const AUDIT_WAIT_SECONDS = 10;

const ok = (check: string, says: string): Finding => ({ check, verdict: 'ok', says });
const wrong = (check: string, says: string): Finding => ({ check, verdict: 'wrong', says });

/** A source is only checked when none of these failed: otherwise every source would appear to be wrong. */
export const prerequisites: readonly string[] = ['api', 'key', 'worker'];

export async function examineApi(api: Api): Promise<Finding[]> {
  const reachable = ok('reachable', `The API answers at ${api.url.origin}.`);
  try {
    const presence = await api.get<Presence>(['presence']);
    const audit = await examineAudit(api, presence);
    return [
      reachable,
      ok('key', 'The API key has the scope operate or admin.'),
      audit,
      sealingFindings[presence.sealing],
      examineEngine(presence),
      ...examineIsolated(presence),
      ...examineMasterKeys(presence),
    ];
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    const { code, detail } = error.problem;
    if (code === 'forbidden')
      return [
        reachable,
        wrong('key', `${detail} "lockstep doctor" needs a key with the scope operate or admin.`),
      ];
    return [reachable, wrong(code === 'unauthenticated' ? 'key' : 'api', detail)];
  }
}

/** Only a worker has the key of the audit chain. */
async function examineAudit(api: Api, { waitingFor }: Presence): Promise<Finding> {
  const result = waitingFor === 'worker' ? null : await runVerification(api, AUDIT_WAIT_SECONDS);
  if (result === null)
    return {
      check: 'audit',
      verdict: 'skipped',
      says: 'No worker has verified the audit in time. "lockstep audit verify" waits for the result.',
    };
  if (isRefused(result)) return wrong('audit', errors[result.code].says);
  const says = verificationSays(result);
  return result.intact ? ok('audit', says) : wrong('audit', says);
}

const sealingFindings: Readonly<Record<Presence['sealing'], Finding>> = {
  ready: ok('sealing', 'The API can seal passwords to a key of the worker.'),
  no_key: wrong(
    'sealing',
    'No worker has published a key that the signer of the API has signed, so every change is refused. Start a worker; if one is running, give the API the signer.pub.json of that worker (LOCKSTEP_SIGNER_FILE).',
  ),
  signer_unreadable: wrong(
    'sealing',
    'The API cannot read the public key of the signer, so every change is refused. Check LOCKSTEP_SIGNER_FILE, and let the user of the API read the file and enter its folder.',
  ),
};

/** @param presence a release before this one reports no isolated sources */
const examineIsolated = ({ unservedSources = [] }: Partial<Presence>): Finding[] =>
  unservedSources.map((source) =>
    wrong(
      'isolated',
      `No running worker is bound to ${source}, so its accounts wait. Start one with LOCKSTEP_WORKER_SOURCES=${source}.`,
    ),
  );

function examineEngine({ waitingFor, engineProblems: problems, engineLacks }: Presence): Finding {
  if (waitingFor === 'worker')
    return wrong(
      'worker',
      'No worker is running. Changes are kept and continue as soon as a worker runs: start one.',
    );
  if (problems.length === 0)
    return ok('engine', 'A worker is running and reaches the engine (Temporal).');
  const who =
    waitingFor === 'engine' ? 'No change can start.' : 'One worker carries out no changes.';
  const causes = problems.map((problem) => engineProblems[problem]).join(' ');
  const lacks = engineLacks.length === 0 ? '' : ` It lacks ${engineLacks.join(', ')}.`;
  return wrong('engine', `${who} ${causes}${lacks}`);
}

/** Whether new credentials of applications can be sealed, and whether a loss of the master keys can be repaired. */
function examineMasterKeys({ keyStoreProblems: problems, unsavedMasterKeys }: Presence): Finding[] {
  const [unsaved] = unsavedMasterKeys;
  return [
    ...problems.map((problem) => wrong('key-store', keyStoreSays(problem))),
    ...(unsaved === undefined
      ? []
      : [
          {
            check: 'backup',
            verdict: 'warning' as const,
            says: `There is no backup of ${unsavedMasterKeys.length === 1 ? `the master key ${unsaved}` : `${unsavedMasterKeys.length} master keys`}. If a key is lost, the credentials that it seals are lost. Run on the machine of the worker: lockstep sso secret backup FILE.`,
          },
        ]),
  ];
}

/** What became of the notices of each channel; empty without a channel. */
export async function examineNotices(api: Api): Promise<Finding[]> {
  const { channels } = await api.get<NoticeChannels>(['notices', 'channels']);
  return channels.map(examineChannel);
}

function examineChannel(channel: NoticeChannels['channels'][number]): Finding {
  const { name, closedAt, waiting, failed, lastReason, lastDeliveredAt } = channel;
  const test = `Run "lockstep notices test ${name}".`;
  if (closedAt !== null) return wrong(name, deliveryReasons.endpoint_gone);
  if (lastReason !== null && waiting + failed > 0)
    return wrong(
      name,
      `${waiting} notices wait, and ${failed} failed within the last day. ${deliveryReasons[lastReason]} ${test}`,
    );
  if (lastDeliveredAt === null)
    return { check: name, verdict: 'warning', says: `The channel has sent no notice yet. ${test}` };
  return ok(name, 'The channel delivers notices.');
}

export async function examineSource(api: Api, source: string): Promise<readonly Finding[]> {
  const result = await runJob<{ readonly findings: readonly Finding[] }>(api, {
    source,
    verb: 'check',
    waitSeconds: CHECK_WAIT_SECONDS,
  });
  if (result === null)
    return [
      wrong(
        'worker',
        `No worker finished this check within ${CHECK_WAIT_SECONDS} s. Start a worker, or read the log of the one that is running.`,
      ),
    ];
  return isRefused(result) ? [wrong('check', errors[result.code].says)] : result.findings;
}
