import { actionPromises } from './conformance/actions';
import { benchOf } from './conformance/bench';
import { doubtPromises } from './conformance/doubt';
import { hashPromises } from './conformance/hashes';
import { identityPromises } from './conformance/identity';
import { lookupPromises } from './conformance/lookup';
import { requestPromises } from './conformance/requests';
import { secrecyPromises } from './conformance/secrecy';
import type { Subject } from './conformance/subject';
import { successPromises } from './conformance/success';
import { transportPromises } from './conformance/transport';
import { verifyPromises } from './conformance/verify';
import { writePromises } from './conformance/writes';

/**
 * Tests every promise of `connectors/contract.ts` for one kind on its real server. The kind is a black box: `Subject`
 * reads what it did from the server, by other clients than ours. Call this inside `describeWith`.
 * @param options.answers false if another variant of the kind keeps the promises about wrong answers, which take longest
 */
export function conformance(subject: Subject, { answers = true } = {}): void {
  describe(`${subject.title} keeps the contract`, () => {
    const bench = benchOf(subject);
    writePromises(bench);
    verifyPromises(bench);
    hashPromises(bench);
    doubtPromises(bench);
    lookupPromises(bench);
    identityPromises(bench);
    requestPromises(bench);
    if (answers) successPromises(bench);
    transportPromises(bench);
    actionPromises(bench);
    secrecyPromises(bench);
    bench.everySkipIsKnown();
  });
}
