import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The version in package.json of the Lockstep that runs, which is above the folder of the built code. */
export function release(): string {
  for (let dir = __dirname; dir !== path.dirname(dir); dir = path.dirname(dir)) {
    const file = path.join(dir, 'package.json');
    if (existsSync(file)) return String(JSON.parse(readFileSync(file, 'utf8')).version);
  }
  return 'unknown';
}
