/** How a request names a person: by name, or by one of their accounts. */
export type WhichPerson =
  | { readonly name: string }
  | { readonly source: string; readonly account: string };
