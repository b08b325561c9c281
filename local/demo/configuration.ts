import path from 'node:path';
import { stringify } from 'yaml';
import { APPS_SUFFIX, CORP_SUFFIX } from './company';
import { CRM_SCHEME } from './database';
import { serviceDn } from './directories';
import type { DemoSystems } from './systems';

/** The lockstep.yaml of the demo company, which `npm start` applies. It is also an example to read. */
export function demoConfiguration(systems: DemoSystems): string {
  const document = {
    version: 1,
    sources: {
      ...directorySources(systems),
      ...databaseSources(systems),
      ...domainSource(systems),
    },
    policies: {
      everyone: { minLength: 15 },
    },
    groups: {
      'one-password': {
        policy: 'everyone',
        authSource: 'corp-directory',
        sources: ['corp-directory', 'apps-directory', 'warehouse', 'crm'].concat(
          systems.domain === null ? [] : ['ad'],
        ),
      },
    },
    applications: {
      expenses: { source: 'crm', title: { en: 'Expenses', de: 'Spesen' } },
      wiki: { source: 'apps-directory' },
    },
  };
  return `# Written by "npm start" for the demo company. Try: ./lockstep plan -f <this file>\n${stringify(document)}`;
}

/** `${file:…}` is relative to the folder of the secrets. */
const reference = (file: string): string => `\${file:${path.basename(file)}}`;

function directorySources({ slapd, secretFiles }: DemoSystems) {
  const endpoint = { url: slapd.url, ca: slapd.caFile, serverName: 'localhost' };
  return {
    'corp-directory': {
      title: { en: 'Company directory', de: 'Firmenverzeichnis' },
      hint: {
        en: 'Your computer, mail and Wi-Fi ask for it.',
        de: 'Ihr Computer, E-Mail und WLAN fragen danach.',
      },
      kind: 'ldap',
      settings: {
        ...endpoint,
        bindDn: serviceDn(CORP_SUFFIX),
        bindPassword: reference(secretFiles['corp-directory']),
        base: `ou=people,${CORP_SUFFIX}`,
        attributes: ['uid', 'cn', 'mail', 'employeeNumber'],
      },
      correlate: [{ uid: 'name' }],
      createIdentities: {
        name: 'uid',
        attributes: { fullName: 'cn', mail: 'mail', employeeNumber: 'employeeNumber' },
      },
    },
    'apps-directory': {
      title: { en: 'Wiki and tools', de: 'Wiki und Werkzeuge' },
      kind: 'ldap',
      multipleAccountPasswordSync: true,
      settings: {
        ...endpoint,
        bindDn: serviceDn(APPS_SUFFIX),
        bindPassword: reference(secretFiles['apps-directory']),
        base: `ou=users,${APPS_SUFFIX}`,
        attributes: ['cn', 'mail'],
      },
      correlate: [{ mail: 'mail' }],
    },
  };
}

function databaseSources({ postgres, databaseUrl, secretFiles }: DemoSystems) {
  const endpoint = {
    host: '127.0.0.1',
    port: postgres.port,
    serverName: 'localhost',
    ca: postgres.caFile,
    database: decodeURIComponent(new URL(databaseUrl).pathname.slice(1)),
  };
  return {
    warehouse: {
      title: { en: 'Data warehouse', de: 'Data-Warehouse' },
      kind: 'postgres-role',
      settings: {
        ...endpoint,
        user: 'lockstep_warehouse',
        password: reference(secretFiles.warehouse),
      },
      correlate: [{ role: 'name' }],
    },
    crm: {
      title: { en: 'Customer database', de: 'Kundendatenbank' },
      kind: 'sql-column',
      settings: {
        ...endpoint,
        engine: 'postgres',
        user: 'lockstep_crm',
        password: reference(secretFiles.crm),
        table: 'crm_user',
        keyColumn: 'login',
        passwordColumn: 'password_hash',
        changedAtColumn: 'password_changed_at',
        scheme: CRM_SCHEME,
        attributes: ['login'],
      },
      correlate: [{ login: 'mail' }],
    },
  };
}

function domainSource({ domain, secretFiles }: DemoSystems) {
  if (domain === null) return {};
  return {
    ad: {
      kind: 'active-directory',
      settings: { ...domain.settings, bindPassword: reference(secretFiles.ad) },
      correlate: [{ sAMAccountName: 'name' }],
    },
  };
}
