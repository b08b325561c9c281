import type { Form } from '../model/hashes/encoding';
import type { Connector, VerifyAnswer, WriteAnswer } from './contract';

const REJECTED: WriteAnswer = {
  result: 'rejected',
  reason: 'encoding_not_supported',
  vendorCode: null,
};
const NOT_VERIFIABLE: VerifyAnswer = {
  result: 'inconclusive',
  reason: 'not_supported',
  vendorCode: null,
};

/**
 * Wraps a connector so that it receives only plaintext and the accepted forms. A source that does not know a hash scheme
 * would store the text of the hash as the password.
 */
export function acceptingOnly(accepts: readonly Form[], connector: Connector): Connector {
  const isAccepted = (form: Form) => form === 'plaintext' || accepts.includes(form);
  return {
    ...connector,
    setPassword: async (request) =>
      isAccepted(request.form) ? connector.setPassword(request) : REJECTED,
    verify: async (request) =>
      isAccepted(request.form) ? connector.verify(request) : NOT_VERIFIABLE,
  };
}
