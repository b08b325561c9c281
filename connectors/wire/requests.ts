import type { Secret } from '../../model/passwords/secret';
import { type Json, jsonBytes } from '../http/body';
import type { Operation } from './answers';

/** Grows only when a program that is right today would misunderstand a request of tomorrow. */
export const WIRE_VERSION = 1;

export type Fields = Readonly<Record<string, Json>>;

/** One request: a line of JSON, so that `read` in a shell is enough. Whoever asks for it zeroes it. */
export const requestOf = (operation: Operation, fields: Fields, password?: Secret): Buffer =>
  jsonBytes({
    version: WIRE_VERSION,
    operation,
    ...fields,
    ...(password === undefined ? {} : { password }),
  });
