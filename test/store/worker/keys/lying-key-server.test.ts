import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { environmentSchema } from '../../../../config';
import { keyStoreProblem } from '../../../../store/worker/keys/key-store';
import { openMasterKeys } from '../../../../store/worker/keys/open';
import { openSealedKeys } from '../../../../store/worker/keys/sealed-keys';
import { openTransit, type TransitSettings } from '../../../../store/worker/keys/transit';
import { type TestDatabase, testDatabase } from '../../../support/database';
import { startImpostor } from '../../../support/impostor';
import { describeWith } from '../../../support/servers';
import {
  type Lie,
  startTransitStandIn,
  type TransitStandIn,
} from '../../../support/transit-stand-in';

const answer = (status: number, body: unknown): Lie => ({
  status,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

describeWith(['postgres'], 'a key server that fails', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-lies-'));
  const tokenFile = path.join(dir, 'token');
  let database: TestDatabase;
  let server: TransitStandIn;
  beforeAll(async () => {
    database = await testDatabase();
    server = await startTransitStandIn(dir, 'first');
  });
  beforeEach(() => writeFileSync(tokenFile, 'first\n', { mode: 0o600 }));
  afterEach(() => {
    server.lie(null);
    server.accept('first');
    return sql`truncate master_key`.execute(database.db);
  });
  afterAll(async () => {
    await server.stop();
    await database.close();
    rmSync(dir, { recursive: true });
  });

  const open = (settings: Partial<TransitSettings> = {}) => {
    const { url, key, caFile } = server;
    return openSealedKeys(
      database.db,
      openTransit({ url, key, caFile, tokenFile, timeoutMs: 30_000, ...settings }),
    );
  };
  const stored = () => open().masterKeyIds();

  test.each<[problem: string, lie: Lie]>([
    ['invalid_answer', answer(200, 'welcome')],
    ['invalid_answer', answer(200, '')],
    ['invalid_answer', answer(200, {})],
    ['invalid_answer', answer(200, { data: { ciphertext: '', plaintext: 'AAAA' } })],
    ['invalid_answer', answer(200, { data: { ciphertext: 'vault:v1:x', plaintext: 'AAAA' } })],
    ['invalid_answer', answer(204, '')],
    ['invalid_answer', answer(301, '')],
    ['invalid_answer', answer(400, 'Bad Request')],
    ['invalid_answer', answer(500, { errors: ['internal error'] })],
    ['refused', answer(403, { errors: ['permission denied'] })],
    ['no_key', answer(404, { errors: ['no handler for route'] })],
    ['no_key', answer(400, { errors: ['encryption key not found'] })],
    ['wrong_key', answer(400, { errors: ['invalid ciphertext'] })],
    ['sealed', answer(503, { errors: ['Vault is sealed'] })],
    ['unreachable', 'cut'],
    ['unreachable', 'hang'],
    ['unreachable', answer(200, 'x'.repeat(200_000))],
  ])('%s is reported for the answer %j, and no key is stored', async (problem, lie) => {
    server.lie(lie);
    const timeout = lie === 'hang' ? { timeoutMs: 300 } : {};
    expect(await keyStoreProblem(open(timeout))).toBe(problem);
    await expect(open(timeout).generate()).rejects.toMatchObject({ problem });
    server.lie(null);
    expect(await stored()).toEqual([]);
  });

  test('a key that the server opens to another value seals nothing', async () => {
    await open().generate();
    server.lie('another key');
    expect(await keyStoreProblem(open())).toBe('wrong_key');
  });

  test('a new token in the file is used for the next request', async () => {
    const keys = open();
    await keys.generate();
    server.accept('second');
    await expect(keys.generate()).rejects.toMatchObject({ problem: 'refused' });
    writeFileSync(tokenFile, 'second');
    await keys.generate();
    expect(new Set(server.tokens)).toEqual(new Set(['first', 'second']));
  });

  test.each([
    ['is missing', () => rmSync(tokenFile)],
    ['is empty', () => writeFileSync(tokenFile, '\n')],
    ['has two lines', () => writeFileSync(tokenFile, 'first\nsecond')],
  ])('no request is sent while the file of the token %s', async (_state, spoil) => {
    spoil();
    const before = server.tokens.length;
    expect(await keyStoreProblem(open())).toBe('token');
    expect(server.tokens).toHaveLength(before);
  });

  test('a server that does not run is unreachable', async () => {
    expect(await keyStoreProblem(open({ url: 'https://127.0.0.1:1/v1/transit' }))).toBe(
      'unreachable',
    );
  });

  test('the token is not sent to a server whose certificate is not trusted', async () => {
    const impostor = await startImpostor();
    const url = `https://127.0.0.1:${impostor.address.port}/v1/transit`;
    expect(await keyStoreProblem(open({ url }))).toBe('certificate');
    expect(await keyStoreProblem(open({ url, caFile: path.join(dir, 'none') }))).toBe(
      'certificate',
    );
    expect(await impostor.heard()).toEqual(Buffer.alloc(0));
    await impostor.stop();
  });

  test.each([
    ['https://vault.example.com:8200/v1/transit', true],
    ['http://127.0.0.1:8200/v1/transit', true],
    ['http://localhost:8200/v1/transit', true],
    ['http://[::1]:8200/v1/transit', true],
    ['http://vault.example.com:8200/v1/transit', false],
    ['http://127.0.0.1.example.com/v1/transit', false],
    ['ftp://127.0.0.1/v1/transit', false],
    ['https://user:word@vault.example.com/v1/transit', false],
    ['https://vault.example.com/v1/transit?token=1', false],
  ])(
    'a key server at %s is accepted: %p, because other machines need TLS, and a URL has no secret',
    (url, accepted) => {
      expect(environmentSchema.safeParse({ LOCKSTEP_TRANSIT_URL: url }).success).toBe(accepted);
    },
  );

  test('a key server without a token is refused, and the error names the variable', () => {
    const settings = environmentSchema.parse({ LOCKSTEP_TRANSIT_URL: server.url });
    expect(() => openMasterKeys(settings, dir, database.db)).toThrow('LOCKSTEP_TRANSIT_TOKEN_FILE');
  });
});
