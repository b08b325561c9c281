import type { Connector } from '../../../connectors/contract';
import { encode } from '../../../connectors/encodings';
import { connectorKinds } from '../../../connectors/registry';
import { forms, type Scheme, schemes } from '../../../model/hashes/encoding';
import { Secret } from '../../../model/passwords/secret';
import { published } from '../published-hashes';
import { asking } from '../requests';
import { type Bench, freshPassword, needed, remembered } from './bench';
import type { TestAccount } from './subject';

const APPLIED = expect.objectContaining({ result: 'applied' });

/** Promises about passwords that arrive as hashes, and about hashes that the connector makes. */
export function hashPromises({ subject, promise, direct }: Bench): void {
  const traits = connectorKinds.get(subject.kind)?.traits;
  const accepted = subject.hashes?.schemes ?? [];
  const account = () => (subject.hashes?.account ?? subject.account)();
  const open = (scheme: Scheme) => direct(subject.hashes?.settings(scheme) ?? {});

  for (const scheme of accepted)
    promise(
      `a hash is stored unchanged, and a login with its password succeeds: ${scheme}`,
      async () => {
        const [connector, person] = [await open(scheme), await account()];
        const [password, other] = [freshPassword(), freshPassword()];
        const hash = await hashOf(scheme, password);
        expect(await writeHash(connector, person, hash, scheme)).toEqual(APPLIED);
        expect(await subject.logsIn(person, password)).toBe(true);
        expect(await subject.logsIn(person, person.password)).toBe(false);
        const verifiable = subject.hashes?.provable === true;
        expect(await verifyHash(connector, person, hash, scheme)).toMatchObject(
          verifiable
            ? { result: 'holds', proof: 'hash' }
            : { result: 'inconclusive', reason: 'not_supported' },
        );
        if (verifiable)
          expect(
            await verifyHash(connector, person, await hashOf(scheme, other), scheme),
          ).toMatchObject({ result: 'differs' });
        const stored = await storedOf(person);
        const again = await writeHash(connector, person, hash, scheme);
        expect(['applied', 'already_current']).toContain(again.result);
        expect(await storedOf(person)).toEqual(stored);
      },
    );

  for (const scheme of schemes.filter((name) => !accepted.includes(name)))
    promise(`a hash that the source does not accept is not written: ${scheme}`, async () => {
      const [connector, person] = [await direct(), await subject.account()];
      const hash = remembered(await hashOfAnyPassword(scheme));
      const before = await subject.entry(person);
      expect(await writeHash(connector, person, hash, scheme)).toEqual({
        result: 'rejected',
        reason: 'encoding_not_supported',
        vendorCode: null,
      });
      expect(await verifyHash(connector, person, hash, scheme)).toMatchObject({
        result: 'inconclusive',
        reason: 'not_supported',
      });
      expect(await subject.entry(person)).toEqual(before);
      expect(await subject.logsIn(person, hash)).toBe(false);
    });

  if (traits?.accepts.includes('plaintext') === false)
    promise('the connector makes the same hash in each attempt of a change', async () => {
      const [connector, person] = [await direct(), await subject.account()];
      const request = asking(person.ref, Secret.fromText(freshPassword()));
      const written = [];
      for (const salt of [request.salt, request.salt, Buffer.alloc(16, 1)]) {
        expect(await connector.setPassword({ ...request, salt })).toEqual(APPLIED);
        written.push(await storedOf(person));
      }
      expect(written[1]).toEqual(written[0]);
      expect(written[2]).not.toEqual(written[0]);
    });

  promise(
    'the traits of the connector name the forms that the source accepts, and no others',
    async () => {
      expect(traits?.accepts.every((form) => forms.includes(form))).toBe(true);
      expect(accepted.filter((scheme) => traits?.accepts.includes(scheme) !== true)).toEqual([]);
    },
  );

  async function storedOf(person: TestAccount): Promise<unknown> {
    return needed(subject.stored, 'stored')(await subject.entry(person));
  }
}

async function hashOf(scheme: Scheme, password: string): Promise<string> {
  const secret = Secret.fromText(password);
  try {
    return remembered(await encode(scheme, secret));
  } finally {
    secret.destroy();
  }
}

/** A published hash costs no time, unlike one that is made with the strength of a real one. */
const hashOfAnyPassword = async (scheme: Scheme): Promise<string> =>
  published.find(([name]) => name === scheme)?.[2] ?? (await hashOf(scheme, freshPassword()));

const writeHash = (connector: Connector, { ref }: TestAccount, hash: string, scheme: Scheme) =>
  connector.setPassword(asking(ref, Secret.fromText(hash), scheme));

const verifyHash = (connector: Connector, { ref }: TestAccount, hash: string, scheme: Scheme) =>
  connector.verify(asking(ref, Secret.fromText(hash), scheme));
