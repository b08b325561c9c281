import { type ErrorCode, errors } from '../../model/errors';
import { detailOf, type HttpProblem, headersOf } from '../http/problem';

/** Whether the path belongs to SCIM, where errors have the SCIM format too. */
export const speaksScim = (path: string): boolean => path.startsWith('/scim/');

export const SCIM_TYPE = 'application/scim+json';
const SCIM_ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** The `scimType` of each problem that has one (RFC 7644 §3.12). */
const scimTypes: Partial<Record<ErrorCode, string>> = {
  request_invalid: 'invalidSyntax',
  body_not_json: 'invalidSyntax',
  body_encoding: 'invalidSyntax',
  unsupported_character: 'invalidValue',
  scim_filter_invalid: 'invalidFilter',
  scim_path_invalid: 'invalidPath',
  scim_no_target: 'noTarget',
  scim_value_invalid: 'invalidValue',
  password_against_policy: 'invalidValue',
  already_exists: 'uniqueness',
};

/** The HTTP status of a problem. SCIM answers a rejected value with 400 instead of 422. */
export const scimStatus = (code: ErrorCode): number =>
  code === 'password_against_policy' ? 400 : errors[code].status;

export function scimErrorOf(problem: HttpProblem) {
  const { code, details } = problem;
  const scimType = scimTypes[code];
  const violations = details.violations?.map(({ says }) => says) ?? [];
  return {
    schemas: [SCIM_ERROR],
    status: String(scimStatus(code)),
    ...(scimType === undefined ? {} : { scimType }),
    detail: [detailOf(problem), ...violations].join(' '),
  };
}

export const scimHeadersOf = (problem: HttpProblem): Record<string, string> => ({
  ...headersOf(problem),
  'content-type': SCIM_TYPE,
});
