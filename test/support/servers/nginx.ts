import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { firstCapable, type Source } from '../../../local/candidates';
import { onDebian, type Report, unpackedDebs } from '../../../local/debian';
import { loopback, onFreePort } from '../../../local/ports';
import { startServer } from '../../../local/processes';
import { giveToServer, librariesIn, serverEnvironment } from '../../../local/server-setup';
import { CannotBeHad, type ServerStarter } from '../servers';

/** nginx with basic authentication by an htpasswd file, which it reads for each login. Facts: `url`, `file`, `program`. */
export const nginx: ServerStarter = {
  name: 'nginx',
  start: async (dir, report) => {
    const [program, python] = await Promise.all([nginxProgram(report), pythonProgram()]);
    mkdirSync(dir, { recursive: true });
    const file = path.join(dir, 'htpasswd');
    writeFileSync(file, '');
    writeFileSync(path.join(dir, 'in'), 'in');
    giveToServer(dir);
    giveToServer(file);
    const { port, stop } = await onFreePort((free) => startNginx(program, dir, file, free));
    const facts = { url: `http://127.0.0.1:${port}/in`, file, program: ourProgram(dir, python) };
    return { facts, stop };
  },
};

export async function startNginx(program: NginxProgram, dir: string, file: string, port: number) {
  const header = { name: 'lockstep-server', value: randomUUID() };
  const configFile = path.join(dir, 'nginx.conf');
  writeFileSync(configFile, configuration(dir, file, port, header));
  const server = await startServer({
    name: 'nginx',
    command: program.command,
    args: ['-p', dir, '-c', configFile, '-e', 'stderr'],
    env: serverEnvironment(program.libraries),
    logFile: path.join(dir, 'nginx.log'),
    asNobody: true,
    stopSignal: 'SIGTERM',
    listeners: [{ ...loopback(port), proof: { by: 'header', ...header } }],
  });
  return { port, stop: server.stop };
}

interface NginxProgram {
  readonly command: string;
  readonly libraries: string | null;
}

export const nginxProgram = (report: Report): Promise<NginxProgram> =>
  firstCapable([installed, fetched], ({ command }) => command, nginxFlaw, report).catch(
    (error: Error) => {
      throw new CannotBeHad(`no nginx: ${error.message}`);
    },
  );

const installed: Source<NginxProgram> = async () =>
  ['/usr/sbin/nginx', '/usr/local/sbin/nginx']
    .filter((file) => existsSync(file))
    .map((command) => ({ command, libraries: null }));

const fetched: Source<NginxProgram> = async (report) => {
  if (!onDebian()) return [];
  const root = await unpackedDebs('nginx', ['nginx'], report);
  return [{ command: path.join(root, 'usr', 'sbin', 'nginx'), libraries: librariesIn(root) }];
};

/** `-V` prints what was left out when it was built. */
async function nginxFlaw({ command, libraries }: NginxProgram): Promise<string | null> {
  const env = serverEnvironment(libraries);
  const printed = await promisify(execFile)(command, ['-V'], { env }).catch(() => null);
  if (printed === null) return 'does not run';
  return printed.stderr.includes('--without-http_auth_basic_module')
    ? 'lacks the module for basic authentication'
    : null;
}

/** Path of the real Python, because the wrapper of a version manager needs its own environment. */
async function pythonProgram(): Promise<string> {
  const where = ['-c', 'import sys; print(sys.executable)'];
  const found = await promisify(execFile)('python3', where).catch(() => null);
  if (found === null) throw new CannotBeHad('python3 is missing: install it');
  return found.stdout.trim();
}

/** Copies the example of the docs, with the path of this machine's Python. */
function ourProgram(dir: string, python: string): string {
  const programs = path.join(dir, 'programs');
  mkdirSync(programs);
  const file = path.join(programs, 'htpasswd');
  const example = path.resolve(__dirname, '../../../docs/examples/htpasswd.py');
  writeFileSync(file, `#!/bin/sh\nexec '${python}' '${example}' "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

const configuration = (
  dir: string,
  file: string,
  port: number,
  header: { readonly name: string; readonly value: string },
): string => `
daemon off;
master_process off;
pid ${dir}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  large_client_header_buffers 4 32k;
  server {
    listen 127.0.0.1:${port};
    root ${dir};
    add_header ${header.name} ${header.value} always;
    auth_basic people;
    auth_basic_user_file ${file};
  }
}
`;
