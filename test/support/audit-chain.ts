import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Database } from '../../store/database';
import { openAnchorFile } from '../../store/worker/audit/anchors';
import { openAuditKeys } from '../../store/worker/audit/audit-keys';
import { type AuditChain, chainAudit } from '../../store/worker/audit/chain';
import { verifyAudit } from '../../store/worker/audit/verify';

/** The keys and anchors of the audit of each test database. */
const chains = new WeakMap<Database, AuditChain>();

/** Chains the audit of a database with the keys of this folder from now on, as the worker of that folder does. */
export function keepAuditIn(db: Database, keyDir: string): AuditChain {
  const chain = {
    keys: openAuditKeys(keyDir),
    anchors: openAnchorFile(path.join(keyDir, 'audit', 'anchors.jsonl')),
  };
  chains.set(db, chain);
  return chain;
}

/** The keys and anchors of the audit of a database; new ones if it has none yet. */
export const auditChainOf = (db: Database): AuditChain =>
  chains.get(db) ?? keepAuditIn(db, mkdtempSync(path.join(os.tmpdir(), 'lockstep-audit-')));

/** Chains every record that was written so far. */
export async function chainAll(db: Database): Promise<void> {
  while ((await chainAudit(db, auditChainOf(db).keys)) > 0);
}

/** Chains every record, and verifies the chain. */
export async function verifyAll(db: Database) {
  await chainAll(db);
  return verifyAudit(db, auditChainOf(db));
}
