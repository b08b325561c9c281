import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { type Environment, Misconfigured } from '../../config';

type Settings = Pick<
  Environment,
  | 'TEMPORAL_TLS'
  | 'TEMPORAL_TLS_SERVER_CA_CERT_PATH'
  | 'TEMPORAL_TLS_SERVER_NAME'
  | 'TEMPORAL_TLS_CLIENT_CERT_PATH'
  | 'TEMPORAL_TLS_CLIENT_KEY_PATH'
  | 'TEMPORAL_API_KEY_FILE'
>;

export interface EngineLogin extends Pick<NativeConnectionOptions, 'tls'> {
  /** Reads the API key from its file; null when the worker signs in without one. */
  readonly apiKey: () => string | null;
}

/**
 * How the worker connects and signs in to Temporal. The variables have the names of Temporal's own environment
 * configuration (https://docs.temporal.io/develop/environment-configuration), but a key is always in a file.
 * @throws Misconfigured that names the variable, when a file cannot be used or two settings contradict each other
 */
export function engineLogin(settings: Settings): EngineLogin {
  const certificate = settings.TEMPORAL_TLS_CLIENT_CERT_PATH;
  const key = settings.TEMPORAL_TLS_CLIENT_KEY_PATH;
  if ((certificate === undefined) !== (key === undefined))
    throw new Misconfigured(
      'Set both TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, or neither.',
    );
  const ca = settings.TEMPORAL_TLS_SERVER_CA_CERT_PATH;
  const keyFile = settings.TEMPORAL_API_KEY_FILE;
  const name = settings.TEMPORAL_TLS_SERVER_NAME;
  const needed = [ca, certificate, keyFile, name].some((value) => value !== undefined);
  if (needed && settings.TEMPORAL_TLS === false)
    throw new Misconfigured(
      'TEMPORAL_TLS is off, but another variable needs TLS to Temporal. Set TEMPORAL_TLS to true.',
    );
  const apiKey = () => (keyFile === undefined ? null : apiKeyIn(keyFile));
  apiKey();
  if (!needed && settings.TEMPORAL_TLS !== true) return { tls: false, apiKey };
  return {
    apiKey,
    tls: {
      ...(name === undefined ? {} : { serverNameOverride: name }),
      ...(ca === undefined
        ? {}
        : { serverRootCACertificate: pem('TEMPORAL_TLS_SERVER_CA_CERT_PATH', ca, isCertificate) }),
      ...(certificate === undefined || key === undefined
        ? {}
        : {
            clientCertPair: {
              crt: pem('TEMPORAL_TLS_CLIENT_CERT_PATH', certificate, isCertificate),
              key: pem('TEMPORAL_TLS_CLIENT_KEY_PATH', key, isPrivateKey),
            },
          }),
    },
  };
}

const isCertificate = (bytes: Buffer) => new X509Certificate(bytes);
const isPrivateKey = (bytes: Buffer) => createPrivateKey(bytes);

function pem(variable: string, file: string, check: (bytes: Buffer) => unknown): Buffer {
  const bytes = read(variable, file);
  try {
    check(bytes);
    return bytes;
  } catch {
    throw new Misconfigured(
      `${variable}: ${file} is not what it should be, in PEM. Correct the file.`,
    );
  }
}

function apiKeyIn(file: string): string {
  const key = read('TEMPORAL_API_KEY_FILE', file).toString('utf8').trim();
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new Misconfigured(
      `TEMPORAL_API_KEY_FILE: ${file} must hold one line with the API key and nothing else.`,
    );
  return key;
}

function read(variable: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Misconfigured(`${variable}: ${file} cannot be read (${code}).`);
  }
}
