import { randomBytes } from 'node:crypto';
import { Secret } from '../../model/passwords/secret';
import type { AccountRef, Connector } from '../contract';

/** Calls of a connector with a password that is destroyed afterwards. */

export const freshPassword = (): string => `Keep-${randomBytes(9).toString('base64url')}-7!`;

async function withSecret<T>(text: string, use: (password: Secret) => Promise<T>): Promise<T> {
  const password = Secret.fromText(text);
  try {
    return await use(password);
  } finally {
    password.destroy();
  }
}

export const write = (connector: Connector, account: AccountRef, text: string) =>
  withSecret(text, (password) =>
    connector.setPassword({ account, password, form: 'plaintext', salt: randomBytes(16) }),
  );

export const verify = (connector: Connector, account: AccountRef, text: string) =>
  withSecret(text, (password) => connector.verify({ account, password, form: 'plaintext' }));
