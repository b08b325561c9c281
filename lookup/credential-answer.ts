import type { Application } from '../model/configuration/application';
import { jsonBody } from '../model/passwords/json-body';
import type { Secret } from '../model/passwords/secret';
import type { Found } from './find-credential';

/**
 * The body with a credential. The password is written as bytes, because a string cannot be zeroed. The caller destroys
 * the returned secret.
 */
export const credentialAnswer = (
  name: string,
  { application, credential: { value, readAt, fromMemory } }: Found,
  password: Secret,
): Secret =>
  jsonBody({
    application: name,
    userId: value.account,
    password,
    fields: defaultsOf(application),
    state: value.state,
    fromMemory,
    readAt,
  });

/** The values of the fields that are neither the user id nor the password. */
const defaultsOf = ({ fields }: Application): Record<string, string> =>
  Object.fromEntries(
    fields.flatMap(({ name, default: value }) => (value === undefined ? [] : [[name, value]])),
  );
