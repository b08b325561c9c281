import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { benchDirectories, type SecretFiles } from '../../bench/directories';
import { type BenchPerson, crowdOf } from '../../bench/people';
import { serverDir } from '../../local/places';
import { createDatabase, type LocalPostgres, startPostgres } from '../../local/postgres';
import { type Slapd, startSlapd } from '../../local/slapd';
import { searchAttributes, startTemporal, temporalBinary } from '../../local/temporal';
import { startTemporalCluster } from '../../local/temporal-cluster';
import type { Context } from './report';

/** The servers that Lockstep uses: PostgreSQL, Temporal, and a directory with two sources. */
export interface Company {
  readonly postgres: LocalPostgres;
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly slapd: Slapd;
  readonly secretFiles: SecretFiles;
  readonly people: readonly BenchPerson[];
  stop(): Promise<void>;
}

/** @param engine `development` starts at once; `cluster` is a server on PostgreSQL, as in production */
export async function startCompany(
  { workDir, report }: Context,
  engine: 'development' | 'cluster',
  size: number,
): Promise<Company> {
  mkdirSync(workDir, { recursive: true, mode: 0o755 });
  const people = crowdOf(size);
  const { directories, secretFiles } = benchDirectories(workDir, people);
  report('starting PostgreSQL, Temporal and OpenLDAP');
  const postgres = await startPostgres({
    dir: serverDir(workDir, 'postgres'),
    report,
    settings: { max_connections: '200' },
  });
  const slapd = await startSlapd({ dir: serverDir(workDir, 'slapd'), directories, report });
  const dir = path.join(workDir, 'temporal');
  const temporal =
    engine === 'cluster'
      ? await startTemporalCluster({ dir, postgres, report })
      : await startTemporal({
          dir,
          binary: await temporalBinary({ report }),
          namespace: 'lockstep',
          searchAttributes,
          headless: true,
          inMemory: true,
        });
  return {
    postgres,
    databaseUrl: await createDatabase(postgres, 'lockstep'),
    temporalAddress: temporal.address,
    slapd,
    secretFiles,
    people,
    async stop() {
      for (const server of [temporal, slapd, postgres]) await server.stop();
    },
  };
}
