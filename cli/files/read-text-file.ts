import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { usage } from '../failure';

const MEGABYTE = 1024 * 1024;
/** Larger than 10,000 mappings, the most rows of a file. */
const LIMIT_BYTES = 8 * MEGABYTE;

/**
 * Reads a text file of an administrator, without a byte order mark.
 * @throws Failure if it cannot be read, is too large, or is not UTF-8
 */
export function readTextFile(file: string, limitBytes: number = LIMIT_BYTES): string {
  const bytes = readLimited(file, limitBytes);
  if (!isUtf8(bytes))
    throw usage(
      `${file} is not UTF-8 text. Save it as UTF-8; Excel calls that "CSV UTF-8", and Notepad "UTF-8".`,
    );
  return bytes.toString('utf8').replace(/^\ufeff/, '');
}

function readLimited(file: string, limitBytes: number): Buffer {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(file, 'r');
    const { size } = fstatSync(descriptor);
    if (size > limitBytes)
      throw usage(`${file} has more than ${limitBytes / MEGABYTE} MB. Split it.`);
    return readFileSync(descriptor);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw usage(`${file} cannot be read (${code}).`);
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}
