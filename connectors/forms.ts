import type { Form } from '../model/hashes/encoding';
import type { Connector, VerifyAnswer, WriteAnswer } from './contract';

const REFUSED: WriteAnswer = {
  result: 'rejected',
  reason: 'encoding_not_supported',
  vendorCode: null,
};
const UNKNOWN: VerifyAnswer = { result: 'inconclusive', reason: 'not_supported', vendorCode: null };

/** Whoever does not take a hash of a scheme is never handed one: he would make it somebody's password. */
export function takingOnly(accepts: readonly Form[], connector: Connector): Connector {
  const takes = (form: Form) => form === 'plaintext' || accepts.includes(form);
  return {
    ...connector,
    setPassword: async (request) =>
      takes(request.form) ? connector.setPassword(request) : REFUSED,
    verify: async (request) => (takes(request.form) ? connector.verify(request) : UNKNOWN),
  };
}
