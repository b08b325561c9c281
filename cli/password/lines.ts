import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { usage } from '../failure';

/** Larger than any request that the API accepts. */
const LIMIT_BYTES = 32 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const STDIN = 0;
const POLL_MS = 20;

/**
 * Reads passwords, one per line; the caller destroys them. The bytes are read into one buffer, which is zeroed afterwards:
 * streams of Node would leave copies in memory.
 * @param file null for stdin
 * @param wanted what each line holds, for messages, such as `new password`
 * @throws Failure if there are more or fewer lines, or if the text is not UTF-8
 */
export async function readLines(file: string | null, wanted: readonly string[]): Promise<Secret[]> {
  const from = file ?? 'stdin';
  const content = zeroableBytes(LIMIT_BYTES);
  try {
    const length = await readInto(content, file);
    if (length === LIMIT_BYTES)
      throw usage(
        `${from} holds more than ${LIMIT_BYTES} bytes, which is too long for a password.`,
      );
    return splitLines(content.subarray(0, length), from, wanted);
  } finally {
    content.fill(0);
  }
}

/** Reads until the end, or until `content` is full. @param file null for stdin @returns the number of bytes read */
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

/** @returns the number of bytes read; 0 at the end; null if a non-blocking stdin has no data yet */
function readSome(descriptor: number, content: Buffer, from: number): number | null {
  try {
    return readSync(descriptor, content, from, content.length - from, null);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN') return null;
    throw usage(`The password cannot be read (${code}). Nothing was sent.`);
  }
}

function openFile(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw usage(
      `${file} cannot be opened (${(error as NodeJS.ErrnoException).code}). Nothing was sent.`,
    );
  }
}

function splitLines(content: Buffer, from: string, wanted: readonly string[]): Secret[] {
  if (!isUtf8(content)) throw usage(`${from} is not UTF-8 text. Save the password as UTF-8.`);
  if (content.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK))
    throw usage(
      `${from} begins with a byte order mark, which would become part of the password. Save it without one.`,
    );
  const secrets: Secret[] = [];
  let at = 0;
  try {
    for (const title of wanted) {
      const newline = content.indexOf(NEWLINE, at);
      const end = newline === -1 ? content.length : newline;
      const last = newline > at && content[end - 1] === RETURN ? end - 1 : end;
      if (last === at)
        throw usage(`${from} holds no ${title}: line ${secrets.length + 1} is empty.`);
      secrets.push(Secret.of(Buffer.from(content.subarray(at, last))));
      at = newline === -1 ? content.length : newline + 1;
    }
    if (at < content.length)
      throw usage(
        `${from} holds more than ${lineCount(wanted.length)}, so it is not clear which is the password.`,
      );
    return secrets;
  } catch (error) {
    for (const secret of secrets) secret.destroy();
    throw error;
  }
}

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

const lineCount = (lines: number): string => (lines === 1 ? 'one line' : `${lines} lines`);
