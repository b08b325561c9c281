import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 200;

/**
 * Lets one process of this clone at a time into `work`. The lock is a folder with the mark of its holder inside. A folder
 * can be renamed onto an empty one but not onto a full one, which makes taking it atomic; and the mark of a dead
 * holder has a name of its own, so nobody can take away the mark of a living one by mistake.
 * @param {string} lock path of the folder
 * @param {() => void} onWait called once when another process holds it
 * @param {(share: (pid: number) => void) => Promise<void>} work `share` lets a child hold the lock too: should we be
 *   killed, it is held until the child has ended
 */
export async function withLock(lock, onWait, work) {
  const mark = markOf(process.pid);
  for (let tries = 0; !take(lock, mark); tries++) {
    if (tries === 0) onWait();
    await sleep(POLL_MS);
  }
  try {
    await work((pid) => writeFileSync(path.join(lock, markOf(pid)), ''));
  } finally {
    rmSync(path.join(lock, mark), { force: true });
  }
}

function take(lock, mark) {
  removeDeadMarks(lock);
  mkdirSync(path.dirname(lock), { recursive: true });
  const mine = mkdtempSync(`${lock}-`);
  writeFileSync(path.join(mine, mark), '');
  try {
    renameSync(mine, lock);
    return true;
  } catch (error) {
    rmSync(mine, { recursive: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    return false;
  }
}

function removeDeadMarks(lock) {
  if (!existsSync(lock)) return;
  for (const mark of readdirSync(lock)) {
    const [pid, began] = mark.split('-');
    if (startedAt(pid) !== began) rmSync(path.join(lock, mark), { force: true });
  }
}

const markOf = (pid) => `${pid}-${startedAt(pid)}`;

/** When the process began, as something to compare: a number given out again belongs to another process. */
function startedAt(pid) {
  try {
    return process.platform === 'linux' ? startTicks(pid) : startDate(pid);
  } catch {
    return null;
  }
}

/** proc(5): field 3 is the state, 22 the start time; field 2 may hold spaces and brackets. */
function startTicks(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return fields[0] === 'Z' ? null : fields[19];
}

function startDate(pid) {
  const said = execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' });
  return said.replace(/\W+/g, '.');
}
