/** What a browser without JavaScript does: it follows redirections and links, sends forms, and keeps cookies by origin. */
export interface Visitor {
  /** @param until a path at which the visitor stops: it is the last address, and was not requested */
  visit(url: string, until?: string): Promise<Visited>;
  send(url: string, fields: Readonly<Record<string, string>>): Promise<Visited>;
  /** The value of a cookie; undefined if there is none. */
  cookie(origin: string, name: string): string | undefined;
}

export interface Visited {
  readonly status: number;
  /** The address after all redirections. */
  readonly url: string;
  readonly text: string;
  readonly headers: Headers;
  /** Every address on the way, the first one included. */
  readonly way: readonly string[];
}

const MOST_REDIRECTIONS = 10;

export function newVisitor(): Visitor {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (origin: string) => {
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };
  const request = async (url: string, init: RequestInit, from: string | null) => {
    const { origin } = new URL(url);
    const cookie = [...jarOf(origin)].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      ...(cookie === '' ? {} : { cookie }),
      ...(from === null ? {} : { referer: from }),
      ...(init.method === 'POST' ? { origin } : {}),
    };
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line))
        jarOf(origin).delete(name);
      else jarOf(origin).set(name, value);
    }
    return answer;
  };
  const follow = async (
    url: string,
    init: RequestInit,
    from: string | null,
    until?: string,
  ): Promise<Visited> => {
    const way = [url];
    let answer = await request(url, init, from);
    for (let at = url; way.length <= MOST_REDIRECTIONS; ) {
      const location = answer.headers.get('location');
      if (location === null) break;
      at = new URL(location, at).href;
      way.push(at);
      if (new URL(at).pathname === until) break;
      answer = await request(at, {}, null);
    }
    const { status, headers } = answer;
    return { status, headers, url: way.at(-1) ?? url, text: await answer.text(), way };
  };
  let shown: string | null = null;
  const remember = (visited: Visited): Visited => {
    shown = visited.url;
    return visited;
  };
  return {
    visit: async (url, until) => remember(await follow(url, {}, null, until)),
    send: async (url, fields) =>
      remember(await follow(url, { method: 'POST', body: new URLSearchParams(fields) }, shown)),
    cookie: (origin, name) => jarOf(origin).get(name),
  };
}
