import { randomBytes } from 'node:crypto';
import type { AccountRef, SetPasswordRequest } from '../../connectors/contract';
import type { Form } from '../../model/hashes/encoding';
import type { Secret } from '../../model/passwords/secret';

/** A request to write, or to verify, as the worker would make it. */
export const asking = (
  account: AccountRef,
  password: Secret,
  form: Form = 'plaintext',
): SetPasswordRequest => ({ account, password, form, salt: randomBytes(16) });
