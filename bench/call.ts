import { readFileSync } from 'node:fs';

export type Call = (
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<unknown>;

/** Returns a function that calls the api below `/v1` over kept-alive connections. It throws for an error response. */
export function caller(apiUrl: string, adminKeyFile: string): Call {
  const key = readFileSync(adminKeyFile, 'utf8').trim();
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${apiUrl}/v1/${path}`, {
      method,
      headers: {
        ...headers,
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /v1/${path} answers ${response.status}: ${text}`);
    return JSON.parse(text);
  };
}
