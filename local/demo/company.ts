/** Harbor Lane, a company of twenty people, and the accounts that they have. All of it is made up. */

export interface DemoPerson {
  /** Also the login in every system but the CRM, which goes by mail. */
  readonly name: string;
  readonly fullName: string;
  readonly apps: boolean;
  readonly warehouse: boolean;
  readonly crm: boolean;
}

type Systems = readonly ('apps' | 'warehouse' | 'crm')[];

const person = (fullName: string, ...systems: Systems): DemoPerson => ({
  name: fullName.toLowerCase().replace(' ', '.'),
  fullName,
  apps: systems.includes('apps'),
  warehouse: systems.includes('warehouse'),
  crm: systems.includes('crm'),
});

export const people: readonly DemoPerson[] = [
  person('Ada Marsh', 'apps', 'warehouse', 'crm'),
  person('Ben Osei', 'apps', 'crm'),
  person('Cleo Tanaka', 'apps', 'warehouse', 'crm'),
  person('Dario Conti', 'apps', 'crm'),
  person('Elif Demir', 'apps', 'warehouse'),
  person('Finn Larsen', 'crm'),
  person('Grace Okafor', 'apps', 'warehouse', 'crm'),
  person('Hana Novak', 'apps'),
  person('Idris Khan', 'apps', 'warehouse', 'crm'),
  person('Jonas Weber', 'crm'),
  person('Keiko Mori', 'apps', 'crm'),
  person('Luis Romero', 'apps', 'warehouse'),
  person('Mara Silva', 'apps', 'crm'),
  person('Nils Berg'),
  person('Olga Petrova', 'apps', 'warehouse', 'crm'),
  person('Paul Dubois', 'crm'),
  person('Qadir Aziz', 'apps'),
  person('Rosa Keller', 'apps', 'warehouse', 'crm'),
  person('Sam Whitfield', 'crm'),
  person('Tess Vermeer', 'apps', 'crm'),
];

export const mailOf = ({ name }: DemoPerson): string => `${name}@harborlane.example`;

/** Has two accounts in the apps directory, and so five in all: the change of the demo is hers. */
export const HERO = 'ada.marsh';
export const HERO_SECOND_ACCOUNT = 'ada.marsh-admin';
/** Disabled in the apps directory: the change is sent all the same, and its source decides. */
export const DISABLED = 'ben.osei';
/** The apps directory asks a password of at least forty characters of her: it will refuse. */
export const REFUSED = 'cleo.tanaka';
export const REFUSED_MIN_LENGTH = 40;

export const CORP_SUFFIX = 'dc=harborlane,dc=example';
export const APPS_SUFFIX = 'o=apps';
export const corpDn = (name: string): string => `uid=${name},ou=people,${CORP_SUFFIX}`;
export const appsDn = (name: string): string => `cn=${name},ou=users,${APPS_SUFFIX}`;
