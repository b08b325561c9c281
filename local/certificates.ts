import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { generate } from 'selfsigned';

export interface Certificates {
  /** PEM files. Clients trust the authority in `caFile`. A server presents `certFile`. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const TEN_YEARS_MS = 3650 * 24 * 3600 * 1000;

/**
 * A private certificate authority in `dir`, and the one certificate that it signs, made once. The key of the authority is
 * not kept, so a server that presents a certificate of it is the server of this folder (`proofs.ts`). For local servers
 * only.
 */
export async function certificatesIn(
  dir: string,
  names: readonly string[] = ['localhost'],
  addresses: readonly string[] = ['127.0.0.1'],
): Promise<Certificates> {
  const files = {
    caFile: path.join(dir, 'ca.crt'),
    certFile: path.join(dir, 'server.crt'),
    keyFile: path.join(dir, 'server.key'),
  };
  if (Object.values(files).every((file) => existsSync(file))) return files;
  mkdirSync(dir, { recursive: true });
  const common = {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + TEN_YEARS_MS),
  } as const;
  const ca = await generate([{ name: 'commonName', value: 'Lockstep local CA' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
    ...common,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...addresses.map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
  writeFileSync(files.keyFile, server.private, { mode: 0o600 });
  writeFileSync(files.certFile, server.cert);
  writeFileSync(files.caFile, ca.cert);
  return files;
}
