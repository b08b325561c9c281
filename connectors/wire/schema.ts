import { z } from 'zod';
import { answers, type Operation } from './answers';
import { WIRE_VERSION } from './requests';

const account = z.strictObject({ name: z.string(), nativeId: z.string().nullable() });

/** The fields of each request, in addition to `version` and `operation`. */
const fields: { readonly [O in Operation]: z.ZodRawShape } = {
  setPassword: { account, password: z.string(), oldPassword: z.string().optional() },
  verify: { account, password: z.string() },
  find: { match: z.record(z.string(), z.string()), limit: z.int() },
  list: { cursor: z.string().nullable(), pageSize: z.int() },
  state: { account },
  policies: {},
  check: {},
};

/** JSON schema of the contract for programs of customers: the request and the answers of each operation. */
export function contractSchema(): object {
  const definitions = (Object.keys(answers) as Operation[]).flatMap((operation) => {
    const request = z.strictObject({
      version: z.literal(WIRE_VERSION),
      operation: z.literal(operation),
      ...fields[operation],
    });
    return [
      [`${operation} request`, schemaOf(request)],
      [`${operation} answer`, schemaOf(answers[operation])],
    ];
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The contract between Lockstep and your own connector',
    $defs: Object.fromEntries(definitions),
  };
}

function schemaOf(type: z.ZodType): object {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' });
  return schema;
}
