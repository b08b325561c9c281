import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Misconfigured } from '../../config';
import { type Cage, newPassword, type Sighting, sendCanary } from './canary';
import { type Edit, editOf } from './edit';
import { runShell } from './tools';

export interface Conduct {
  /** Starts Samba anew, and ends when that is done. For a shell. */
  readonly restartCommand: string;
  /** What was done, a line each. */
  readonly report: (line: string) => void;
  /** What is half done is undone first. */
  readonly interrupted: AbortSignal;
}

/**
 * Has Samba take another smb.conf, which it reads only when it starts (4.17: neither `smbcontrol reload-config` nor SIGHUP
 * reaches the part that hashes passwords). If the canary does not come through, everything is undone.
 * @param needed the text of smb.conf
 * @returns why the domain is as it was before, or null when the canary arrived
 * @throws Misconfigured when the domain refused passwords before
 */
export async function configure(
  smbConf: string,
  cage: Cage,
  needed: string,
  conduct: Conduct,
): Promise<readonly string[] | null> {
  const edit = editOf(smbConf, needed);
  const before = await sendCanary(cage);
  if (before.state === 'refused')
    throw new Misconfigured(
      `The domain refuses a password change, before anything of it was touched: ${before.says}`,
    );
  if (conduct.interrupted.aborted)
    throw new Misconfigured('It was interrupted, before anything of the domain was touched');
  if (edit === null) {
    refuseUnproven(smbConf, before);
    conduct.report(`${smbConf} is right already: the canary arrived.`);
    return null;
  }
  conduct.report(`Changed ${smbConf}; as it was, it is in ${edit.make()}.`);
  const says = await tryNewConf(cage, conduct).catch(async (error) => {
    await undo(cage, edit, conduct);
    throw error;
  });
  if (says !== null) return [says, ...(await undo(cage, edit, conduct))];
  conduct.report('Restarted Samba: the canary arrived.');
  return null;
}

/** A restart with what somebody else wrote there could break the domain, and there would be nothing to go back to. */
function refuseUnproven(smbConf: string, seen: Sighting): void {
  if (seen.state === 'missing')
    throw new Misconfigured(
      `${smbConf} has the setting already, but the password of the test account did not arrive: ${seen.says}. Perhaps ` +
        'Samba was not restarted since. Take the setting out and run this again: then it is tried in a way that can be undone',
    );
}

/** @returns what was wrong, or null */
async function tryNewConf(cage: Cage, conduct: Conduct): Promise<string | null> {
  const failed = await restart(cage, conduct);
  if (failed !== null) return failed;
  const seen = await sendCanary(cage).catch(asRefusal);
  if (conduct.interrupted.aborted) return 'It was interrupted.';
  if (seen.state === 'delivered') return null;
  if (seen.state === 'missing')
    return `The test account was changed, but its password did not arrive: ${seen.says}`;
  const hint =
    cage.form === 'plaintext'
      ? ' Samba needs the public key in the GNUPGHOME of its own service: see whether that is the same.'
      : '';
  return `With it, the domain refused a password change: ${seen.says}.${hint}`;
}

const asRefusal = (error: unknown): Sighting => {
  if (error instanceof Misconfigured) return { state: 'refused', says: error.message };
  throw error;
};

async function undo(cage: Cage, edit: Edit, conduct: Conduct): Promise<readonly string[]> {
  edit.undo();
  const failed = await restart(cage, conduct);
  if (failed !== null) return ['smb.conf is as it was, but Samba is not:', failed];
  const password = newPassword();
  const refusal = await cage.domain
    .change(cage.account, password, cage.make)
    .catch((error: Error) => error.message)
    .finally(() => password.destroy());
  return refusal === null
    ? ['smb.conf is as it was, Samba was restarted, and password changes work.']
    : [`smb.conf is as it was, and password changes still fail: ${refusal}`];
}

const RESTARTED_WITHIN_MS = 60_000;
const POLL_MS = 100;

/** Until another server runs: not every command waits for what it has begun. */
async function restart(
  { facts: { pidFile } }: Cage,
  { restartCommand }: Conduct,
): Promise<string | null> {
  const pid = () => (existsSync(pidFile) ? readFileSync(pidFile, 'latin1').trim() : '');
  const before = pid();
  const code = await runShell(restartCommand);
  if (code !== 0) return `"${restartCommand}" failed (${code ?? 'killed'}): see why, by hand`;
  const deadline = Date.now() + RESTARTED_WITHIN_MS;
  while (pid() === before || pid() === '') {
    if (Date.now() > deadline)
      return `"${restartCommand}" did not restart Samba: ${pidFile} is as it was`;
    await sleep(POLL_MS);
  }
  return null;
}
