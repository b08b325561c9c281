import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { CORP_SUFFIX, corpDn } from '../../local/demo/company';
import { demoConfiguration } from '../../local/demo/configuration';
import { serviceDn } from '../../local/demo/directories';
import { loadCompany } from '../../local/demo/load';
import { type EchoingDirectory, startEchoingDirectory } from './echoing-directory';
import { type ServerProxy, startProxy } from './proxy';
import { startTalkativeStack, type TalkativeStack } from './talkative-stack';
import { until } from './until';

/** The demo company on a talkative stack, with a CRM that a test can cut off and a hostile directory. */
export interface WatchedCompany {
  readonly stack: TalkativeStack;
  readonly crm: ServerProxy;
  /** The source `hostile`, with an account of nils.berg. */
  readonly hostile: EchoingDirectory;
  /** Every response of the api so far, with its headers, and the request that it answers. */
  readonly answers: readonly (readonly [request: string, answer: string])[];
  /** Sends a request with the admin key. @param body sent as JSON, or unchanged if it is text */
  send(method: string, target: string, body?: unknown, headers?: Headers): Promise<Answer>;
  /** Requests a change and waits for its end. */
  change(body: object, headers?: Headers): Promise<Answer>;
  /** Waits until this many attempts at the account have failed. */
  waits(changeId: string, source: string, attempts: number): Promise<void>;
  stop(): Promise<void>;
}

type Headers = Readonly<Record<string, string>>;

export interface Answer {
  readonly status: number;
  readonly body: {
    readonly id: string;
    readonly state: string;
    readonly accounts: readonly {
      readonly source: string;
      readonly outcome: string;
      readonly reason: string | null;
      readonly attempts: number;
    }[];
  };
}

export async function startWatchedCompany(): Promise<WatchedCompany> {
  const stack = await startTalkativeStack();
  const { postgres, slapd } = stack.systems;
  const crm = await startProxy({ host: '127.0.0.1', port: postgres.port });
  const hostile = await startEchoingDirectory(slapd, path.join(stack.dir, 'hostile'));
  const answers: [string, string][] = [];
  const company: WatchedCompany = {
    stack,
    crm,
    hostile,
    answers,
    async send(method, target, body, headers = {}) {
      const response = await request(stack, method, target, body, headers);
      const text = await response.text();
      const headerText = JSON.stringify([...response.headers]);
      answers.push([`${method} ${target}`, `${headerText}\n${text}`]);
      return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {} };
    },
    change: (body, headers = {}) =>
      company.send('POST', '/v1/changes', body, { prefer: 'wait=30', ...headers }),
    waits: (changeId, source, attempts) =>
      until(async () => {
        const { accounts } = (await company.send('GET', `/v1/changes/${changeId}`)).body;
        const account = accounts.find((one) => one.source === source);
        return account?.outcome === 'waiting' && account.attempts >= attempts;
      }),
    async stop() {
      await Promise.all([crm.stop(), hostile.stop()]);
      await stack.stop();
    },
  };
  await load(company);
  return company;
}

const request = (
  stack: TalkativeStack,
  method: string,
  target: string,
  body: unknown,
  headers: Headers,
): Promise<Response> =>
  fetch(stack.apiUrl + target, {
    method,
    headers: {
      authorization: `Bearer ${readFileSync(stack.adminKeyFile, 'utf8').trim()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

async function load({ stack, crm, hostile, send }: WatchedCompany): Promise<void> {
  const document = parse(demoConfiguration(stack.systems));
  const { crm: crmSource, 'corp-directory': corp, ...others } = document.sources;
  const usual = ['corp-directory', ...Object.keys(others), 'crm'];
  crmSource.settings.port = crm.address.port;
  document.sources.hostile = {
    kind: 'ldap',
    settings: {
      ...corp.settings,
      url: hostile.url,
      ca: hostile.caFile,
      bindDn: serviceDn(CORP_SUFFIX),
    },
  };
  document.groups['one-password'].sources.push('hostile');
  const call = async (method: string, segments: readonly string[], body?: unknown) => {
    const target = ['/v1', ...segments.map(encodeURIComponent)].join('/');
    const response = await send(method, target, body, { prefer: 'wait=30' });
    if (response.status !== 200) throw new Error(`${target} answers ${response.status}`);
    return response.body;
  };
  await loadCompany(call, document, usual);
  const account = { source: 'hostile', name: corpDn('nils.berg') };
  await call('PUT', ['identities', 'nils.berg'], { accounts: [account] });
}
