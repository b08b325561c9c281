import { z } from 'zod';

/** Characters that end an address, or a header, have no place in an address that Lockstep sends to. */
const ADDRESS = /^[^\s@<>()[\]\\,;:"\p{Cc}\p{Cf}]{1,64}@[^\s@<>()[\]\\,;:"\p{Cc}\p{Cf}]{1,255}$/u;

/** Whether a text is a mail address to which a notice can be sent. */
export const isMailAddress = (text: string): boolean => ADDRESS.test(text);

export const mailAddress = z.string().regex(ADDRESS, 'give a mail address: name@example.com');
