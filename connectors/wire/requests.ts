import type { Secret } from '../../model/passwords/secret';
import { type Json, jsonBytes } from '../http/body';
import type { Operation } from './answers';

/** Version of the requests. It grows only if a program that is correct now would misunderstand the new requests. */
export const WIRE_VERSION = 1;

export type Fields = Readonly<Record<string, Json>>;

/** Builds a request as one line of JSON, which a shell can read with `read`. The caller zeroes it. */
export const requestOf = (operation: Operation, fields: Fields, password?: Secret): Buffer =>
  jsonBytes({
    version: WIRE_VERSION,
    operation,
    ...fields,
    ...(password === undefined ? {} : { password }),
  });
