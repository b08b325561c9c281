/** Harbor Lane, an invented company of twenty people, and their accounts. */

export interface DemoPerson {
  /** Also the login in every system except the CRM, where it is the mail address. */
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

/** The person whose password the demo changes. She has two accounts in the apps directory, and five in all. */
export const HERO = 'ada.marsh';
export const HERO_SECOND_ACCOUNT = 'ada.marsh-admin';
/** A person who is disabled in the apps directory. Lockstep sends the change anyway, and the source decides. */
export const DISABLED = 'ben.osei';
/** A person whose password must have at least forty characters in the apps directory, which therefore rejects the change. */
export const REFUSED = 'cleo.tanaka';
export const REFUSED_MIN_LENGTH = 40;

export const CORP_SUFFIX = 'dc=harborlane,dc=example';
export const APPS_SUFFIX = 'o=apps';
export const corpDn = (name: string): string => `uid=${name},ou=people,${CORP_SUFFIX}`;
export const appsDn = (name: string): string => `cn=${name},ou=users,${APPS_SUFFIX}`;
