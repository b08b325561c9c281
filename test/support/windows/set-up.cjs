// Runs in Windows and creates the folder of a relay: set-up.cjs <folder>. It calls no api, because the `fetch` of Node does not
// work in wine.
const path = require('node:path');
const { setUpRelay } = require(path.resolve(__dirname, '../../../dist/capture/setup.js'));

void setUpRelay({
  ...{ dir: process.argv[2], url: 'https://lockstep.example.com', source: 'domain', caFile: null },
  register: async ({ x }) => ({
    id: 'rly_x',
    key: 'lks_x',
    signer: { kty: 'OKP', crv: 'Ed25519', x },
  }),
});
