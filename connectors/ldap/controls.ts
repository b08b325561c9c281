import { Ber, type BerReader, BerWriter, Control, type Filter, SearchEntry } from 'ldapts';

/** ldapts hands the server's answer to the very control that went out with the request. */

/** What slapo-ppolicy says when it refuses (draft-behera-ldap-password-policy-11 §6.2). */
export const policyErrors = {
  expired: 0,
  locked: 1,
  changeAfterReset: 2,
  modificationNotAllowed: 3,
  mustSupplyOld: 4,
  insufficientQuality: 5,
  tooShort: 6,
  tooYoung: 7,
  inHistory: 8,
  tooLong: 9,
} as const;

const ERROR_TAG = 0x81;
const WARNING_TAG = 0xa0;

export class PasswordPolicyControl extends Control {
  error: number | null = null;

  constructor() {
    super('1.3.6.1.4.1.42.2.27.8.5.1');
  }

  override parseControl(reader: BerReader): void {
    if (!reader.readSequence()) return;
    if (reader.peek() === WARNING_TAG) reader.readString(WARNING_TAG, true);
    if (reader.peek() === ERROR_TAG) this.error = reader.readString(ERROR_TAG, true)?.[0] ?? null;
  }
}

const AVAILABLE_TAG = 0x80;

/** Whether an account could log in now, as the server sees it; needs the right to compare userPassword. */
export class UsabilityControl extends Control {
  available: boolean | null = null;

  constructor() {
    super('1.3.6.1.4.1.42.2.27.9.5.8');
  }

  override parseControl(reader: BerReader): void {
    this.available = reader.peek() === AVAILABLE_TAG;
  }
}

/** The request is served only where the filter is true of the entry (RFC 4528). */
export class AssertionControl extends Control {
  readonly filter: Filter;

  constructor(filter: Filter) {
    super('1.3.6.1.1.12', { critical: true });
    this.filter = filter;
  }

  override writeControl(writer: BerWriter): void {
    const assertion = new BerWriter();
    this.filter.write(assertion);
    writer.writeBuffer(assertion.buffer, Ber.OctetString);
  }
}

/** What an attribute is after the change, in the same reply (RFC 4527). */
export class PostReadControl extends Control {
  readonly attribute: string;
  values: readonly string[] = [];

  constructor(attribute: string) {
    super('1.3.6.1.1.13.2');
    this.attribute = attribute;
  }

  override writeControl(writer: BerWriter): void {
    const wanted = new BerWriter();
    wanted.startSequence();
    wanted.writeString(this.attribute);
    wanted.endSequence();
    writer.writeBuffer(wanted.buffer, Ber.OctetString);
  }

  override parseControl(reader: BerReader): void {
    reader.readSequence();
    const entry = new SearchEntry({ messageId: 0 });
    entry.parseMessage(reader);
    this.values = entry.attributes.flatMap((attribute) => attribute.values.map(String));
  }
}

const IS_SELF_CHANGE_TAG = 0x80;
const ALLOW_PRE_ENCODED_TAG = 0x81;
const SKIP_VALIDATION_TAG = 0x82;
const IGNORE_HISTORY_TAG = 0x83;
const MUST_CHANGE_TAG = 0x86;

/**
 * What a new password is in PingDirectory (`PasswordUpdateBehaviorRequestControl` of the UnboundID LDAP SDK): set by
 * somebody else, a hash only when it is sent as one, held to every rule, and no reason to force a change, or to end one. The minimum age is left to
 * the server, whose default does not hold an administrator to it.
 */
export class PasswordUpdateBehaviorControl extends Control {
  readonly mustChange: boolean;
  readonly isHash: boolean;

  constructor(mustChange: boolean, isHash: boolean) {
    super('1.3.6.1.4.1.30221.2.5.51', { critical: true });
    this.mustChange = mustChange;
    this.isHash = isHash;
  }

  override writeControl(writer: BerWriter): void {
    const behavior = new BerWriter();
    behavior.startSequence();
    behavior.writeBoolean(false, IS_SELF_CHANGE_TAG);
    behavior.writeBoolean(this.isHash, ALLOW_PRE_ENCODED_TAG);
    behavior.writeBoolean(false, SKIP_VALIDATION_TAG);
    behavior.writeBoolean(false, IGNORE_HISTORY_TAG);
    behavior.writeBoolean(this.mustChange, MUST_CHANGE_TAG);
    behavior.endSequence();
    writer.writeBuffer(behavior.buffer, Ber.OctetString);
  }
}
