import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Misconfigured } from '../../config';
import { type CanaryOptions, newPassword, type Sighting, sendCanary } from './canary';
import { type Edit, editOf } from './edit';
import { runShell } from './tools';

/** How a set-up is carried out. */
export interface SetupControls {
  /** Shell command that restarts Samba. */
  readonly restartCommand: string;
  /** Receives a line for each completed step. */
  readonly report: (line: string) => void;
  /** Aborts when the operator interrupts the set-up, which then undoes an unfinished change before it ends. */
  readonly interrupted: AbortSignal;
}

/**
 * Changes smb.conf and restarts Samba, which reads the file only when it starts (in 4.17 neither `smbcontrol reload-config` nor
 * SIGHUP reaches the part that hashes passwords). If the canary does not arrive afterwards, everything is undone.
 * @param needed the new text of smb.conf
 * @returns null if the canary arrived, otherwise lines that explain why the change was undone
 * @throws Misconfigured if the domain refuses passwords before any change, or if the set-up is interrupted before it
 */
export async function configure(
  smbConf: string,
  canary: CanaryOptions,
  needed: string,
  controls: SetupControls,
): Promise<readonly string[] | null> {
  const edit = editOf(smbConf, needed);
  const before = await sendCanary(canary);
  if (before.state === 'refused')
    throw new Misconfigured(
      `The domain refuses a password change already, before the set-up changed anything: ${before.says}`,
    );
  if (controls.interrupted.aborted)
    throw new Misconfigured(
      'The set-up was interrupted before it changed the domain: run it again',
    );
  if (edit === null) {
    refuseUnproven(smbConf, before);
    controls.report(`${smbConf} needs no change: the canary arrived.`);
    return null;
  }
  controls.report(`Changed ${smbConf}; a copy of the old file is ${edit.make()}.`);
  const says = await tryNewConf(canary, controls).catch(async (error) => {
    await undo(canary, edit, controls);
    throw error;
  });
  if (says !== null) return [says, ...(await undo(canary, edit, controls))];
  controls.report('Restarted Samba: the canary arrived.');
  return null;
}

/**
 * Stops if smb.conf already has the setting but the canary is missing. A restart could activate the edit of another person and
 * break the domain, with no earlier file to return to.
 * @throws Misconfigured if the canary is missing
 */
function refuseUnproven(smbConf: string, sighting: Sighting): void {
  if (sighting.state === 'missing')
    throw new Misconfigured(
      `${smbConf} already has the setting, but the password of the test account did not arrive: ${sighting.says}. ` +
        'Samba may not have been restarted since the setting was added. Remove the setting and run this again: the ' +
        'set-up then adds it in a way that it can undo',
    );
}

/** Restarts Samba with the changed smb.conf and sends a canary. @returns what failed, or null */
async function tryNewConf(canary: CanaryOptions, controls: SetupControls): Promise<string | null> {
  const failed = await restart(canary, controls);
  if (failed !== null) return failed;
  const sighting = await sendCanary(canary).catch(asRefusal);
  if (controls.interrupted.aborted) return 'The set-up was interrupted.';
  if (sighting.state === 'delivered') return null;
  if (sighting.state === 'missing')
    return `The test account was changed, but its password did not arrive: ${sighting.says}`;
  const hint =
    canary.form === 'plaintext'
      ? ' Samba needs the public key in the GNUPGHOME of its own service: check that it is the same folder.'
      : '';
  return `With the new smb.conf, the domain refused a password change: ${sighting.says}.${hint}`;
}

const asRefusal = (error: unknown): Sighting => {
  if (error instanceof Misconfigured) return { state: 'refused', says: error.message };
  throw error;
};

async function undo(
  canary: CanaryOptions,
  edit: Edit,
  controls: SetupControls,
): Promise<readonly string[]> {
  edit.undo();
  const failed = await restart(canary, controls);
  if (failed !== null)
    return ['The old smb.conf is restored, but Samba is not: restart it by hand.', failed];
  const password = newPassword();
  const refusal = await canary.domain
    .change(canary.account, password, canary.make)
    .catch((error: Error) => error.message)
    .finally(() => password.destroy());
  return refusal === null
    ? ['The old smb.conf is restored, Samba was restarted, and password changes work.']
    : [`The old smb.conf is restored, but password changes still fail: ${refusal}`];
}

const RESTARTED_WITHIN_MS = 60_000;
const POLL_MS = 100;

/**
 * Restarts Samba and waits until a new server process runs, because not every restart command waits for that.
 * @returns what failed, or null
 */
async function restart(
  { facts: { pidFile } }: CanaryOptions,
  { restartCommand }: SetupControls,
): Promise<string | null> {
  const pid = () => (existsSync(pidFile) ? readFileSync(pidFile, 'latin1').trim() : '');
  const before = pid();
  const code = await runShell(restartCommand);
  if (code !== 0)
    return `"${restartCommand}" failed (${code === null ? 'killed' : `exit code ${code}`}): run it by hand to see why`;
  const deadline = Date.now() + RESTARTED_WITHIN_MS;
  while (pid() === before || pid() === '') {
    if (Date.now() > deadline)
      return `"${restartCommand}" did not restart Samba: ${pidFile} did not change within a minute`;
    await sleep(POLL_MS);
  }
  return null;
}
