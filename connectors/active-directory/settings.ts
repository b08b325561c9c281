import { z } from 'zod';
import { attributes, checkTogether, directorySettings, userFilter } from '../ldap/settings';

export const activeDirectorySettings = z
  .strictObject({
    ...directorySettings,
    userFilter: userFilter('(&(objectCategory=person)(objectClass=user))'),
    attributes: attributes('sAMAccountName', 'userPrincipalName', 'mail'),
  })
  .superRefine(checkTogether);

export type ActiveDirectorySettings = z.infer<typeof activeDirectorySettings>;
