import { textsFor } from '../../console/texts/languages';
import type { Texts } from '../../console/texts/texts';
import { queryOf } from './call';
import type { Visit } from './pages';

/** The texts in the language that the address names, or that the browser prefers. */
export const textsOf = ({ request }: Visit): Texts =>
  textsFor(queryOf(request).lang ?? '', request.headers['accept-language'] ?? '');
