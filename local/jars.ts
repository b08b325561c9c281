import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../config';
import type { Report } from './debian';
import { cacheDir } from './places';

const run = promisify(execFile);

/** A library that is published as a Maven artifact. */
export interface Jar {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  /** Of the only file that is taken. */
  readonly sha256: string;
}

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';

/**
 * The jar, fetched by Maven into the cache the first time.
 * @throws Error when there is no Maven, what it said, or when the file is not the one that is pinned
 */
export async function jarFromMaven(jar: Jar, report: Report, cache = cacheDir()): Promise<string> {
  const name = `${jar.artifact}-${jar.version}.jar`;
  const file = path.join(cache, name);
  if (existsSync(file)) return file;
  report(`fetching ${name} (its checksum is pinned)`);
  const work = mkdtempSync(path.join(cache, `.${jar.artifact}-`));
  try {
    const artifact = `-Dartifact=${jar.group}:${jar.artifact}:${jar.version}`;
    // Its own store of what it fetches, plugins too: the one of the user is left alone.
    const places = [`-DoutputDirectory=${work}`, `-Dmaven.repo.local=${path.join(work, 'store')}`];
    await maven('-q', '-B', COPY, artifact, ...places);
    const fetched = path.join(work, name);
    const sha256 = createHash('sha256').update(readFileSync(fetched)).digest('hex');
    if (sha256 !== jar.sha256) throw new Error(`${name} is not the file that is pinned`);
    // In one step: another clone may be doing the same.
    renameSync(fetched, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return file;
}

async function maven(...args: string[]): Promise<void> {
  try {
    await run('mvn', args, { env: inheritedEnvironment(), maxBuffer: 1 << 24 });
  } catch (error) {
    const { code, stdout = '' } = error as { code?: unknown; stdout?: string };
    if (code === 'ENOENT') throw new Error('Maven is needed to fetch it, and there is none');
    throw new Error(`mvn: ${stdout.trim() || String(error)}`);
  }
}
