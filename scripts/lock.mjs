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
 * Runs `work` while no other process of this clone does. The lock is a folder that contains the mark of its holder. A folder
 * can be renamed onto an empty folder but not onto a full one, which makes acquiring the lock atomic. Each mark has a unique
 * name, so that removing the mark of a dead holder can never remove the mark of a live one.
 * @param {string} lock path of the folder
 * @param {() => void} onWait called once when another process holds it
 * @param {(share: (pid: number) => void) => Promise<void>} work `share` lets a child process hold the lock too: if
 *   this process is killed, the lock is held until the child has ended
 */
export async function withLock(lock, onWait, work) {
  const mark = markOf(process.pid);
  for (let attempt = 0; !acquire(lock, mark); attempt++) {
    if (attempt === 0) onWait();
    await sleep(POLL_MS);
  }
  try {
    await work((pid) => writeFileSync(path.join(lock, markOf(pid)), ''));
  } finally {
    rmSync(path.join(lock, mark), { force: true });
  }
}

/** @returns whether this process now holds the lock */
function acquire(lock, mark) {
  removeDeadMarks(lock);
  mkdirSync(path.dirname(lock), { recursive: true });
  const draft = mkdtempSync(`${lock}-`);
  writeFileSync(path.join(draft, mark), '');
  try {
    renameSync(draft, lock);
    return true;
  } catch (error) {
    rmSync(draft, { recursive: true });
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

/** The start time of a process, for comparison: a process id may be reused. Null if there is no such process. */
function startedAt(pid) {
  try {
    return process.platform === 'linux' ? startTicks(pid) : startDate(pid);
  } catch {
    return null;
  }
}

/** Reads proc(5): field 3 is the state, field 22 the start time; field 2 may contain spaces and brackets. */
function startTicks(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return fields[0] === 'Z' ? null : fields[19];
}

function startDate(pid) {
  const output = execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' });
  return output.replace(/\W+/g, '.');
}
