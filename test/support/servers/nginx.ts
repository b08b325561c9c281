import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { onDebian, type Report, unpackedDebs } from '../../../local/debian';
import { freePort } from '../../../local/ports';
import { startServer } from '../../../local/processes';
import { giveToServer, librariesIn, serverEnvironment } from '../../../local/server-setup';
import { CannotBeHad, type ServerStarter } from '../servers';

/** nginx with basic authentication by an htpasswd file, which it reads for each login. Facts: `url`, `file`, `program`. */
export const nginx: ServerStarter = {
  name: 'nginx',
  start: async (dir, report) => {
    const [program, python] = await Promise.all([nginxProgram(report), pythonProgram()]);
    mkdirSync(dir, { recursive: true });
    const [file, port] = [path.join(dir, 'htpasswd'), await freePort()];
    writeFileSync(file, '');
    writeFileSync(path.join(dir, 'in'), 'in');
    writeFileSync(path.join(dir, 'nginx.conf'), configuration(dir, file, port));
    giveToServer(dir);
    giveToServer(file);
    const server = await startServer({
      name: 'nginx',
      command: program.command,
      args: ['-p', dir, '-c', path.join(dir, 'nginx.conf'), '-e', 'stderr'],
      env: serverEnvironment(program.libraries),
      logFile: path.join(dir, 'nginx.log'),
      asNobody: true,
      stopSignal: 'SIGTERM',
      ready: () => answers(`http://127.0.0.1:${port}/`),
    });
    const facts = { url: `http://127.0.0.1:${port}/in`, file, program: ourProgram(dir, python) };
    return { facts, stop: server.stop };
  },
};

async function nginxProgram(report: Report) {
  const installed = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((file) => existsSync(file));
  if (installed !== undefined) return { command: installed, libraries: null };
  if (!onDebian()) throw new CannotBeHad('nginx is missing: install it');
  const root = await unpackedDebs('nginx', ['nginx'], report).catch((error: Error) => {
    throw new CannotBeHad(error.message);
  });
  return { command: path.join(root, 'usr', 'sbin', 'nginx'), libraries: librariesIn(root) };
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

const configuration = (dir: string, file: string, port: number): string => `
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
    auth_basic people;
    auth_basic_user_file ${file};
  }
}
`;

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );
