/**
 * Seals the audit log: each entry gets a number and a hash over itself and the entry before it, so that changes are detected. Several
 * nodes add entries; one node at a time seals them, within a second.
 */
import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import type { AuditTable, Schema } from './schema.ts';

export interface AuditHead {
  /** The number of sealed entries. */
  readonly sequence: number;
  /** The hash of the last entry. A copy stored elsewhere also detects a cut end. */
  readonly hash: string;
}

/** The first fault of the chain, or none. */
export interface AuditVerdict {
  readonly ok: boolean;
  readonly entries: number;
  readonly head: AuditHead;
  /** Empty when the chain is intact. It may name an entry of another tenant. */
  readonly fault: string;
}

export interface AuditChain extends AsyncDisposable {
  /** Seals new entries. Resolves when done, or when another node does it. Rejects with the driver's error. */
  seal(): Promise<void>;
}

const everyMs = 1_000;
const entriesAtOnce = 500;

/** The hash of an entry that follows `before`. The field order is part of the hash and never changes. */
export function sealOf(before: string, entry: AuditTable, sequence: number): string {
  const { id, at, tenant, actor, act, target, detail, request_id: requestId } = entry;
  return createHash('sha256')
    .update(JSON.stringify([before, sequence, id, at, tenant, actor, act, target, entry.before, entry.after, detail, requestId]))
    .digest('base64url');
}

async function headOf(query: Kysely<Schema>): Promise<AuditHead> {
  const { sequence, hash } = await query.selectFrom('llm_audit_head').selectAll().executeTakeFirstOrThrow();
  return { sequence: Number(sequence), hash };
}

/** True when there may be more entries. */
async function sealSome(transaction: Transaction<Schema>): Promise<boolean> {
  const head = await headOf(transaction);
  // The update of the head is the lock: PostgreSQL waits for the row, SQLite for the file.
  const taken = await transaction
    .updateTable('llm_audit_head')
    .set({ sequence: head.sequence })
    .where('sequence', '=', head.sequence)
    .executeTakeFirst();
  if (taken.numUpdatedRows === 0n) return true;
  const entries = await transaction
    .selectFrom('llm_audit')
    .selectAll()
    .where('sequence', 'is', null)
    .orderBy('id')
    .limit(entriesAtOnce)
    .execute();
  let { sequence, hash } = head;
  for (const entry of entries) {
    sequence++;
    hash = sealOf(hash, entry, sequence);
    await transaction.updateTable('llm_audit').set({ sequence, hash }).where('id', '=', entry.id).execute();
  }
  if (entries.length > 0) await transaction.updateTable('llm_audit_head').set({ sequence, hash }).execute();
  return entries.length === entriesAtOnce;
}

export function createAuditChain({ database, logger }: { readonly database: Database; readonly logger: Logger }): AuditChain {
  let closed = false;
  let failing = false;
  let sealing: Promise<void> = Promise.resolve();

  const seal = (): Promise<void> => {
    const turn = sealing.then(async () => {
      // Usually there is nothing to seal, and this check needs no write.
      const waiting = await database.query.selectFrom('llm_audit').select('id').where('sequence', 'is', null).limit(1).executeTakeFirst();
      if (waiting === undefined) return;
      while (await database.query.transaction().execute(sealSome));
    });
    sealing = turn.catch(() => {});
    return turn;
  };
  const timer = setInterval(() => {
    if (closed) return;
    seal().then(
      () => {
        failing = false;
      },
      (error: unknown) => {
        if (!failing) logger.debug({ err: error }, 'the audit could not be sealed; trying again');
        failing = true;
      },
    );
  }, everyMs);
  timer.unref();

  return {
    seal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await seal().catch(() => {});
      closed = true;
    },
  };
}

/** Verifies the whole chain. Rejects with `storage_unavailable`. */
export async function verifyAudit(database: Database): Promise<AuditVerdict> {
  try {
    const head = await headOf(database.query);
    let sequence = 0;
    let hash = '';
    const verdict = (fault: string): AuditVerdict => ({ ok: fault === '', entries: sequence, head, fault });
    for (;;) {
      const entries = await database.query
        .selectFrom('llm_audit')
        .selectAll()
        .where('sequence', '>', sequence)
        .where('sequence', '<=', head.sequence)
        .orderBy('sequence')
        .limit(entriesAtOnce)
        .execute();
      if (entries.length === 0) break;
      for (const entry of entries) {
        if (Number(entry.sequence) !== sequence + 1) return verdict(`Entry ${sequence + 1} is missing.`);
        const expected = sealOf(hash, entry, sequence + 1);
        if (entry.hash !== expected)
          return verdict(`Entry ${sequence + 1} (${entry.at}, ${entry.act} ${entry.target}) was changed, or one before it.`);
        sequence++;
        hash = expected;
      }
    }
    if (sequence !== head.sequence) return verdict(`Entry ${sequence + 1} is missing.`);
    if (hash !== head.hash) return verdict('The head of the chain does not fit the last entry.');
    return verdict('');
  } catch (thrown) {
    throw database.explain(thrown);
  }
}
