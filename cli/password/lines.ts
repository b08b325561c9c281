import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '../../model/passwords/secret';
import { usage } from '../failure';

/** Larger than any request that the api takes. */
const LIMIT_BYTES = 32 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const STDIN = 0;
const POLL_MS = 20;

/**
 * Passwords from a file or from stdin, one a line, each to be destroyed by the caller. What is read lies in one buffer,
 * which is zeroed; the streams of Node would leave copies behind.
 * @param file null for stdin
 */
export async function readLines(file: string | null, wanted: readonly string[]): Promise<Secret[]> {
  const from = file ?? 'stdin';
  const content = Buffer.alloc(LIMIT_BYTES);
  try {
    const length = await readInto(content, file);
    if (length === LIMIT_BYTES) throw usage(`${from} holds far more than a password.`);
    return splitLines(content.subarray(0, length), from, wanted);
  } finally {
    content.fill(0);
  }
}

/** @returns how many bytes there were, of which only what fits `content` is read */
export async function readInto(content: Buffer, file: string | null): Promise<number> {
  const descriptor = file === null ? STDIN : openFile(file);
  let length = 0;
  try {
    while (length < content.length) {
      const read = readSome(descriptor, content, length);
      if (read === 0) break;
      if (read === null) await sleep(POLL_MS);
      else length += read;
    }
    return length;
  } finally {
    if (file !== null) closeSync(descriptor);
  }
}

/** @returns null while whoever writes to the other end has not yet, where that does not block */
function readSome(descriptor: number, content: Buffer, from: number): number | null {
  try {
    return readSync(descriptor, content, from, content.length - from, null);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN') return null;
    throw usage(`The password cannot be read (${code}).`);
  }
}

function openFile(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw usage(`${file} cannot be opened (${(error as NodeJS.ErrnoException).code}).`);
  }
}

function splitLines(content: Buffer, from: string, wanted: readonly string[]): Secret[] {
  if (!isUtf8(content)) throw usage(`${from} is not UTF-8 text.`);
  if (content.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK))
    throw usage(`${from} begins with a byte order mark, which would become part of the password.`);
  const secrets: Secret[] = [];
  let at = 0;
  try {
    for (const what of wanted) {
      const newline = content.indexOf(NEWLINE, at);
      const end = newline === -1 ? content.length : newline;
      const last = newline > at && content[end - 1] === RETURN ? end - 1 : end;
      if (last === at)
        throw usage(`${from} holds no ${what}: line ${secrets.length + 1} is empty.`);
      secrets.push(Secret.of(Buffer.from(content.subarray(at, last))));
      at = newline === -1 ? content.length : newline + 1;
    }
    if (at < content.length)
      throw usage(
        `${from} holds more than ${lineCount(wanted.length)}, so it is not clear which is meant.`,
      );
    return secrets;
  } catch (error) {
    for (const secret of secrets) secret.destroy();
    throw error;
  }
}

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

const lineCount = (lines: number): string => (lines === 1 ? 'one line' : `${lines} lines`);
