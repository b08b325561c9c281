import { z } from 'zod';
import { answers, type Operation } from './answers';
import { WIRE_VERSION } from './requests';

const account = z.strictObject({ name: z.string(), nativeId: z.string().nullable() });

/** What is asked, beside `version` and `operation`. */
const fields: { readonly [O in Operation]: z.ZodRawShape } = {
  setPassword: { account, password: z.string() },
  verify: { account, password: z.string() },
  find: { match: z.record(z.string(), z.string()), limit: z.int() },
  list: { cursor: z.string().nullable(), pageSize: z.int() },
  state: { account },
  policies: {},
  check: {},
};

/** The contract for programs that are not ours: of each operation the request and what may answer it. */
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
    title: 'The contract of Lockstep with a connector of yours',
    $defs: Object.fromEntries(definitions),
  };
}

function schemaOf(type: z.ZodType): object {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' });
  return schema;
}
