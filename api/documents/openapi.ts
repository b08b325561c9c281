import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { errorCode } from '../../model/api/fields';
import { problemSchema } from '../../model/api/problems';
import { scopesWith } from '../../model/api/scopes';
import { type ErrorCode, errors } from '../../model/errors';
import { HttpProblem, problemOf } from '../http/problem';
import type { Answers, Route } from '../http/route';
import { SCIM_TYPE, scimErrorOf, scimStatus, speaksScim } from '../scim/errors';

/** The OpenAPI 3.1 document, generated from the schemas that validate the requests. */
export function openApiDocument(routes: readonly Route[]) {
  const registry = new OpenAPIRegistry();
  const { name: apiKey } = registry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, `lks_…`. Create one with `lockstep keys create`.',
  });
  for (const route of routes)
    registry.registerPath({
      method: route.method,
      path: route.path,
      operationId: operationId(route),
      tags: [tagOf(route)],
      summary: route.summary,
      description: [
        route.description,
        `Requires ${scopesWith(route.right)
          .map((scope) => `\`${scope}\``)
          .join(' or ')}.`,
      ]
        .filter((part) => part !== undefined)
        .join('\n\n'),
      security: [{ [apiKey]: [] }],
      request: requestOf(route),
      responses: { ...answersOf(route.answers), ...problemsOf(route) },
    });
  // The codes come first: otherwise their component takes over that it may be null where it is used first.
  const definitions = [{ type: 'schema' as const, schema: errorCode }, ...registry.definitions];
  return new OpenApiGeneratorV31(definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Lockstep',
      version: '1',
      description: "Keeps a person's password the same in every system that uses it.",
    },
    servers: [{ url: '/', description: 'The API that serves this document.' }],
  });
}

export type OpenApiDocument = ReturnType<typeof openApiDocument>;

/** A unique name in camel case, such as `getChangesByIdEvents`. */
const operationId = ({ method, path }: Route): string =>
  segments(path).reduce((id, segment) => {
    const word = segment
      .replace(/^\{(\w+)\}$/, 'by-$1')
      .replaceAll(/-?\b(\w)/g, (_, letter) => letter.toUpperCase());
    return id + word;
  }, method as string);

const tagOf = ({ path }: Route): string => segments(path)[0] ?? '';

const segments = (path: string): string[] =>
  path.split('/').filter((segment) => segment !== '' && segment !== 'v1');

type RequestDescription = Parameters<OpenAPIRegistry['registerPath']>[0]['request'];

function requestOf({ params, query, headers, body }: Route): RequestDescription {
  const shapes = { params, query, headers } as Pick<
    NonNullable<RequestDescription>,
    'params' | 'query'
  > & {
    headers: z.ZodObject;
  };
  if (body === null) return shapes;
  const examples = Object.entries(body.examples ?? {}).map(([name, value]) => [name, { value }]);
  const required = !body.schema.safeParse(undefined).success;
  const content = { schema: body.schema, examples: Object.fromEntries(examples) };
  const types = body.contentTypes ?? ['application/json'];
  const contents = Object.fromEntries(types.map((type) => [type, content]));
  return { ...shapes, body: { required, content: contents } };
}

const answersOf = (answers: Answers) =>
  Object.fromEntries(
    Object.entries(answers).map(
      ([status, { says, schema, streams, headers = {}, contentType }]) => {
        const type = contentType ?? 'application/json';
        const content = schema ?? streams ?? (contentType === undefined ? undefined : z.string());
        return [
          status,
          {
            description: says,
            headers: Object.fromEntries(
              Object.entries(headers).map(([name, description]) => [
                name,
                { description, schema: { type: 'string' as const } },
              ]),
            ),
            ...(content === undefined ? {} : { content: { [type]: { schema: content } } }),
          },
        ];
      },
    ),
  );

/** The body of a SCIM error (RFC 7644 §3.12). */
const scimErrorSchema = z
  .object({
    schemas: z.array(z.string()),
    status: z.string(),
    scimType: z.string().optional(),
    detail: z.string(),
  })
  .meta({ id: 'ScimError' });

/** Every problem that a route may answer: its own, and those that any request may cause. */
export function problemCodes({ path, body, problems }: Route): ErrorCode[] {
  const common: ErrorCode[] = [
    'unauthenticated',
    'forbidden',
    'request_invalid',
    'database_away',
    'internal',
  ];
  const ofBody: ErrorCode[] = [
    'body_too_large',
    'body_not_json',
    'body_encoding',
    'unsupported_character',
  ];
  const ofPath: ErrorCode[] = path.includes('{') ? ['not_found'] : [];
  return [...new Set([...problems, ...ofPath, ...(body === null ? [] : ofBody), ...common])];
}

function problemsOf(route: Route) {
  const possible = problemCodes(route);
  const scim = speaksScim(route.path);
  const statusOf = (code: ErrorCode) => (scim ? scimStatus(code) : errors[code].status);
  const statuses = [...new Set(possible.map(statusOf))];
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = possible.filter((code) => statusOf(code) === status);
      return [
        status,
        {
          description: codes.map((code) => `- \`${code}\`: ${errors[code].says}`).join('\n'),
          headers: problemHeaders(status),
          content: {
            [scim ? SCIM_TYPE : 'application/problem+json']: {
              schema: scim ? scimErrorSchema : problemSchema,
              examples: Object.fromEntries(
                codes.map((code) => [
                  code,
                  { value: scim ? scimErrorOf(new HttpProblem(code)) : exampleOf(code) },
                ]),
              ),
            },
          },
        },
      ];
    }),
  );
}

/** The headers that problems of a status have. */
function problemHeaders(status: number) {
  const headers: Readonly<Record<number, readonly [string, string]>> = {
    401: [
      'WWW-Authenticate',
      '`Bearer`, with `error="invalid_token"` if a key was sent (RFC 6750).',
    ],
    403: ['WWW-Authenticate', '`error="insufficient_scope"` and a scope, if one is missing.'],
    429: ['Retry-After', 'Seconds after which the request may be sent again.'],
    503: ['Retry-After', 'Seconds after which the request may be sent again.'],
  };
  const [name, description] = headers[status] ?? [];
  if (name === undefined) return {};
  return { [name]: { description, schema: { type: 'string' as const } } };
}

const exampleOf = (code: ErrorCode) =>
  problemOf(new HttpProblem(code), '3f1c2a9e-7f0b-4b1e-9f60-0c5d8a1b2c3d');
