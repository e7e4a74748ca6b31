/** The ledger of runs and attempts. Written in batches off the call's path, and to disk while the database is unavailable. */
import { join } from 'node:path';
import type { Logger } from '../types/logger.ts';
import type { Ledger, RunRecord } from '../types/run.ts';
import { attemptRows, singleAttemptColumns } from './attempt-rows.ts';
import type { Database } from './database.ts';
import { createDurableWriter } from './durable-writer.ts';
import type { RecordState } from './record-state.ts';
import { joinRoles } from './role-list.ts';
import { createRunFacts, type RunRows } from './run-facts.ts';
import type { RunTable } from './schema.ts';

export interface LedgerWriter extends Ledger, AsyncDisposable {
  /** Resolves when everything recorded before is in the database or on disk. */
  flush(): Promise<void>;
  /** The number of records that are neither in the database nor on disk. */
  readonly pending: number;
  /** Those records, oldest first. */
  unwritten(): readonly RunRecord[];
  /** How long the current batch has been under way, in milliseconds; 0 when there is none. */
  readonly batchMs: number;
}

export interface LedgerOptions {
  readonly database: Database;
  readonly dataDir: string;
  readonly logger: Logger;
  /** The write interval, and so the maximum loss in a crash. Default 100 ms. */
  readonly intervalMs?: number;
  /** Called with the runs that are in the database from now on. */
  readonly stored?: (runs: readonly RunTable[]) => void;
  /** As in `DurableWriterOptions`. */
  readonly watch?: (state: RecordState) => void;
}

/** The provider that answered, or was tried last. */
function providerOf({ attempts, deployment }: RunRecord): string | null {
  const answering = deployment === null ? attempts.at(-1) : attempts.findLast((attempt) => attempt.deployment === deployment);
  return answering?.provider ?? null;
}

function toRun(run: RunRecord): RunTable {
  return {
    id: run.id,
    parent: run.parent,
    root: run.root,
    via: run.via,
    request_id: run.requestId,
    tenant: run.tenant,
    issuer: run.issuer,
    subject: run.subject,
    username: run.username,
    client: run.client,
    key_id: run.key,
    roles: joinRoles(run.roles),
    on_behalf_of: run.onBehalfOf ?? null,
    capability: run.capability,
    operation: run.operation,
    streamed: run.streamed ? 1 : 0,
    revision: run.revision,
    started_at: run.startedAt,
    first_token_at: run.firstTokenAt,
    ended_at: run.endedAt,
    outcome: run.outcome,
    error: run.error,
    deployment: run.deployment,
    provider: providerOf(run),
    input_tokens: run.usage?.inputTokens ?? null,
    output_tokens: run.usage?.outputTokens ?? null,
    cached_input_tokens: run.usage?.cachedInputTokens ?? null,
    reasoning_tokens: run.usage?.reasoningTokens ?? null,
    usage_estimated: run.usage?.estimated === true ? 1 : 0,
    cache_write_tokens: run.usage?.cacheWriteTokens ?? null,
    cache_write_1h_tokens: run.usage?.cacheWrite1hTokens ?? null,
    audio_input_tokens: run.usage?.audioInputTokens ?? null,
    audio_output_tokens: run.usage?.audioOutputTokens ?? null,
    image_input_tokens: run.usage?.imageInputTokens ?? null,
    image_output_tokens: run.usage?.imageOutputTokens ?? null,
    pictures: run.usage?.pictures ?? null,
    milliseconds: run.usage?.milliseconds ?? null,
    characters: run.usage?.characters ?? null,
    pages: run.usage?.pages ?? null,
    searches: run.usage?.searches ?? null,
    cost: run.cost,
    cost_femto: run.cost === null ? null : (run.costFemto ?? 0),
    unbudgeted: run.unbudgeted === true ? 1 : 0,
    currency: run.currency,
    ...singleAttemptColumns(run),
  };
}

export function createLedger(options: LedgerOptions): LedgerWriter {
  const facts = createRunFacts(options.database);
  const writer = createDurableWriter<RunRecord, RunRows>({
    name: 'runs',
    database: options.database,
    folder: join(options.dataDir, 'spool', 'runs'),
    intervalMs: options.intervalMs ?? 100,
    logger: options.logger,
    ...(options.watch === undefined ? {} : { watch: options.watch }),
    rowsOf: (records) => ({ runs: records.map(toRun), attempts: records.flatMap(attemptRows) }),
    async insert(rows) {
      await facts.insert(rows);
      options.stored?.(rows.runs);
    },
  });
  return {
    record: (run) => writer.add(run),
    flush: () => writer.flush(),
    get pending() {
      return writer.pending;
    },
    unwritten: () => writer.unwritten(),
    get batchMs() {
      return writer.batchMs;
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}
