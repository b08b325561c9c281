import { randomBytes } from 'node:crypto';
import type { AccountRef, SetPasswordRequest } from '../../connectors/contract';
import type { Form } from '../../model/hashes/encoding';
import type { Secret } from '../../model/passwords/secret';

/** Builds a request to write or to verify a password, as the worker builds it. */
export const asking = (
  account: AccountRef,
  password: Secret,
  form: Form = 'plaintext',
): SetPasswordRequest => ({ account, password, form, salt: randomBytes(16) });
