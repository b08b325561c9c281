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
  /** The checksum of the file. Any other file is refused. */
  readonly sha256: string;
}

const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';

/**
 * The jar, which Maven fetches into the cache the first time.
 * @throws Error when Maven is missing or fails, or when the file has another checksum
 */
export async function jarFromMaven(jar: Jar, report: Report, cache = cacheDir()): Promise<string> {
  const name = `${jar.artifact}-${jar.version}.jar`;
  const file = path.join(cache, name);
  if (existsSync(file)) return file;
  report(`fetching ${name} (its checksum is pinned)`);
  const work = mkdtempSync(path.join(cache, `.${jar.artifact}-`));
  try {
    const artifact = `-Dartifact=${jar.group}:${jar.artifact}:${jar.version}`;
    // A local repository of its own, also for plugins, so that the one of the user stays as it is.
    const places = [`-DoutputDirectory=${work}`, `-Dmaven.repo.local=${path.join(work, 'store')}`];
    await maven('-q', '-B', COPY, artifact, ...places);
    const fetched = path.join(work, name);
    const sha256 = createHash('sha256').update(readFileSync(fetched)).digest('hex');
    if (sha256 !== jar.sha256)
      throw new Error(`${name} is not the pinned file: its checksum differs`);
    // In one step, because another clone may do the same now.
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
    if (code === 'ENOENT') throw new Error('Maven is needed to fetch it, and is missing');
    throw new Error(`mvn: ${stdout.trim() || String(error)}`);
  }
}
