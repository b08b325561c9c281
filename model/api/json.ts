/**
 * A value as a client receives it in JSON: dates are ISO 8601 text, and everything is read-only.
 * The schemas of this folder describe what a route returns before it is serialised, where a time is a `Date`.
 */
export type Json<Value> = Value extends Date
  ? string
  : Value extends readonly (infer Item)[]
    ? readonly Json<Item>[]
    : Value extends object
      ? { readonly [Member in keyof Value]: Json<Value[Member]> }
      : Value;
