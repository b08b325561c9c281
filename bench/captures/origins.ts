import { readFileSync } from 'node:fs';
import { Attribute, Change, Client } from 'ldapts';
import { serviceDn } from '../../local/demo/directories';
import type { Slapd } from '../../local/slapd';
import type { SyncingDomain } from '../../local/syncing-domain';
import { Secret } from '../../model/passwords/secret';
import type { Call } from '../call';
import { dnOf, people, suffixes } from './company';

/** A source in which passwords are changed, with the way in which Lockstep captures them. */
export interface Origin {
  readonly title: string;
  readonly people: readonly string[];
  /** Changes a password in the source, as its users do. Resolves when the source has answered. */
  change(person: string, password: string): Promise<void>;
  close(): Promise<void>;
}

const third = Math.floor(people.length / 3);

/** A program reports changes of `apps` over HTTP. */
export const httpOrigin = (call: Call): Origin => ({
  title: 'HTTP (POST /v1/captures)',
  people: people.slice(0, third),
  async change(person, password) {
    const capturedAt = new Date().toISOString();
    const account = dnOf('apps', person);
    await call('POST', 'captures', { source: 'apps', account, password, capturedAt });
  },
  async close() {},
});

/** slapd calls the check module, which hands a candidate over; a login confirms it after at least two seconds. */
export async function openLdapOrigin({ url, caFile }: Slapd, password: string): Promise<Origin> {
  const connect = async () => {
    const tlsOptions = { ca: [readFileSync(caFile)], servername: 'localhost' };
    const client = new Client({ url, tlsOptions, timeout: 10_000, connectTimeout: 10_000 });
    await client.bind(serviceDn(suffixes.corp), password);
    return client;
  };
  const idle: Client[] = [];
  return {
    title: 'OpenLDAP (check module, relay, login)',
    people: people.slice(third, 2 * third),
    async change(person, next) {
      const client = idle.pop() ?? (await connect());
      const modification = new Attribute({ type: 'userPassword', values: [next] });
      await client.modify(dnOf('corp', person), new Change({ operation: 'replace', modification }));
      idle.push(client);
    },
    async close() {
      for (const client of idle) await client.unbind();
    },
  };
}

export const peopleOfDomain = people.slice(2 * third);

/** The reader hands over each change of a Samba domain. */
export const sambaOrigin = ({ admin, dnOf: dnIn }: SyncingDomain): Origin => ({
  title: 'Samba AD (reader, relay)',
  people: peopleOfDomain,
  async change(person, next) {
    const password = Secret.fromText(`A1-${next}`);
    await admin.resetPassword(dnIn(person), password);
    password.destroy();
  },
  async close() {},
});
