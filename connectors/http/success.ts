import type { z } from 'zod';
import type { HttpReply } from './client';

/** Reads the body of a reply. Null if it is not the body that the vendor documents. */
export type Body<T> = (reply: HttpReply) => { readonly value: T } | null;

/**
 * The success responses that a vendor documents for one request: the body that belongs to each status. Any other status
 * and any other body is not a success. A proxy, a sign-in page or a changed API can answer 200 as well, without having
 * carried out the request.
 */
export type Success<T> = Readonly<Record<number, Body<T>>>;

/** A body of this shape, with a media type of JSON and without the members of an error. */
export const json =
  <T>(shape: z.ZodType<T>): Body<T> =>
  (reply) => {
    if (!isJson(reply) || isErrorDocument(reply.json)) return null;
    const read = shape.safeParse(reply.json);
    return read.success ? { value: read.data } : null;
  };

/** An empty body. @param value the result of the request */
export const noBody =
  <T>(value: T): Body<T> =>
  ({ isEmpty }) =>
    isEmpty ? { value } : null;

/** Whether the media type is JSON (RFC 8259), or a type that is based on it, such as application/scim+json. */
export const isJson = ({ header }: Pick<HttpReply, 'header'>): boolean =>
  /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(header('content-type') ?? '');

/** Schema of a SCIM error (RFC 7644 §3.12). */
export const SCIM_ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** Members by which APIs report an error. Some servers, and gateways in front of them, send them with the status 200. */
const ERROR_MEMBERS = ['error', 'errors', 'errorCode'];

function isErrorDocument(document: unknown): boolean {
  const members = (document ?? {}) as Readonly<Record<string, unknown>>;
  const { schemas } = members;
  if (Array.isArray(schemas) && schemas.includes(SCIM_ERROR)) return true;
  return ERROR_MEMBERS.some((name) => {
    const member = members[name] ?? [];
    return !Array.isArray(member) || member.length > 0;
  });
}
