import { type Element, yesOrNo } from './read-xml';

/** Notes what a part of an application becomes. `to` is null when there is no counterpart. */
export type Note = (from: string, to: string | null, says?: string) => void;

/** Flags of ENTSSO in lower case, and where they are in an application. */
const flagPaths: Readonly<Record<string, readonly [string, string?]>> = {
  enableapp: ['enabled'],
  windowsinitiatedsso: ['windowsInitiated'],
  hostinitiatedsso: ['hostInitiated'],
  validatepassword: ['validatePassword'],
  allowlocalaccounts: ['localAccounts'],
  allowtickets: ['tickets', 'allowed'],
  validatetickets: ['tickets', 'validated'],
};

/** Flags that have no counterpart: the value that needs one, and the reason. Null: neither value does. */
const without: Readonly<Record<string, readonly [boolean, string] | null>> = {
  groupapp: null,
  configstoreapp: null,
  timeouttickets: [false, 'Every ticket has an end here.'],
  adminaccountsame: [
    true,
    'The affiliate administrators of ENTSSO are API keys with the scope configure. List the people who redeem tickets as administrators.',
  ],
};

/**
 * The flags of an application as members of the configuration. ENTSSO creates an application disabled unless the file
 * enables it.
 */
export function flagsOf(
  file: string,
  application: Element,
  note: Note,
): Readonly<Record<string, unknown>> {
  const result: Record<string, unknown> = { enabled: false };
  const tickets: Record<string, boolean> = {};
  for (const element of flagElements(application))
    for (const flag of Object.keys(element.attributes)) {
      const value = yesOrNo(file, element, flag) ?? false;
      const [member, inner] = Object.hasOwn(flagPaths, flag) ? (flagPaths[flag] ?? []) : [];
      const noted = Object.hasOwn(without, flag) ? without[flag] : undefined;
      if (member !== undefined && inner !== undefined) tickets[inner] = value;
      else if (member !== undefined) result[member] = value;
      else if (flag === 'disablecredcache') result.credentialCache = !value;
      else if (noted === undefined) note(flag, null, 'Lockstep does not know this flag.');
      else if (noted?.[0] === value) note(flag, null, noted[1]);
    }
  if (!flagElements(application).some(({ attributes }) => Object.hasOwn(attributes, 'enableapp')))
    note('enableApp', 'enabled = false', 'The file does not enable it.');
  return Object.keys(tickets).length === 0 ? result : { ...result, tickets };
}

const flagElements = ({ children }: Element): readonly Element[] =>
  children.filter(({ name }) => name === 'flags');

/** Whether a flag of an application is set. */
export const isSet = (file: string, application: Element, flag: string): boolean =>
  flagElements(application).some((element) => yesOrNo(file, element, flag) === true);
