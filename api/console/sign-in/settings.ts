import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { Misconfigured } from '../../../config';
import { type SignInSettings, signInSchema } from '../../../model/configuration/sign-in';
import { fileError } from '../../../start-errors';

const VARIABLE = 'LOCKSTEP_SIGN_IN_FILE';

/**
 * Reads how people and staff sign in at an identity provider. This is a file of the api and not part of the
 * configuration document, because it decides who is an administrator, and the scope `configure` may not decide that.
 * @param file undefined: there is no identity provider
 * @throws Misconfigured with every mistake in the file
 */
export function readSignInSettings(file: string | undefined): SignInSettings | null {
  if (file === undefined) return null;
  const read = signInSchema.safeParse(parsed(file));
  if (read.success) return read.data;
  const lines = read.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Misconfigured(`${VARIABLE}: ${file} is not valid. Correct it:\n${lines.join('\n')}`);
}

function parsed(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const known = fileError(VARIABLE, file, error);
    if (known !== error) throw known;
    throw new Misconfigured(`${VARIABLE}: ${file} is not YAML.`);
  }
}
