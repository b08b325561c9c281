import { readFileSync } from 'node:fs';
import { serveIdentityProvider } from './identity-provider';

/** The process of the identity provider of the demo. Its argument is a file with its `ProviderSpec`. */
void serveIdentityProvider(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
