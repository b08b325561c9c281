// Makes the folder of a relay in Windows: set-up.cjs <folder>. The api is left out: the `fetch` of Node does not work in wine.
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
