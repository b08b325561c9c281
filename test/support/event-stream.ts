import type { TestApi } from './api';

export interface ServerSentEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: unknown;
}

/** Returns a function that reads the next event of a stream, or null at its end. Comments are skipped. */
export function follow(
  api: TestApi,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): { next(): Promise<ServerSentEvent | null> } {
  const events = read(api, target, headers);
  return {
    async next() {
      const { value, done } = await events.next();
      return done === true ? null : value;
    },
  };
}

async function* read(
  api: TestApi,
  target: string,
  headers: Readonly<Record<string, string>>,
): AsyncGenerator<ServerSentEvent, void> {
  const authorization = `Bearer ${api.adminKey()}`;
  const response = await fetch(api.url + target, { headers: { authorization, ...headers } });
  if (response.body === null) throw new Error(`no stream: ${response.status}`);
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) if (!frame.startsWith(':')) yield parsed(frame);
  }
}

function parsed(frame: string): ServerSentEvent {
  const fields = new Map(
    frame.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
  );
  return {
    event: fields.get('event') ?? 'message',
    id: fields.get('id') ?? null,
    data: JSON.parse(fields.get('data') ?? 'null'),
  };
}
