/** Sample runs for the ledger. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../../src/storage/database.ts';
import type { RunRecord } from '../../src/types/run.ts';

export function runRecord(over: Partial<RunRecord> = {}): RunRecord {
  const id = over.id ?? randomUUID();
  return {
    id,
    parent: null,
    root: id,
    requestId: 'request-1',
    tenant: 'acme',
    issuer: 'https://auth.example',
    subject: 'u-1',
    username: 'Ming',
    client: null,
    key: null,
    via: null,
    roles: ['user', 'beta'],
    capability: 'model/gpt-4o',
    operation: 'chat',
    streamed: true,
    revision: 3,
    startedAt: 1_795_000_000_000,
    firstTokenAt: 1_795_000_000_200,
    endedAt: 1_795_000_001_000,
    outcome: 'complete',
    error: null,
    deployment: 'gpt-4o#openai/gpt-4o',
    usage: { inputTokens: 5_000_000_000, outputTokens: 7, cachedInputTokens: 3 },
    cost: 9_000_000_000_000,
    currency: 'CNY',
    attempts: [
      {
        number: 1,
        deployment: 'gpt-4o#azure/gpt-4o',
        provider: 'azure',
        upstreamModel: 'gpt-4o',
        startedAt: 1_795_000_000_000,
        firstTokenAt: null,
        endedAt: 1_795_000_000_100,
        outcome: 'error',
        status: 503,
        error: 'upstream_error',
        detail: '服务不可用',
      },
      {
        number: 2,
        deployment: 'gpt-4o#openai/gpt-4o',
        provider: 'openai',
        upstreamModel: 'gpt-4o',
        startedAt: 1_795_000_000_110,
        firstTokenAt: 1_795_000_000_200,
        endedAt: 1_795_000_001_000,
        outcome: 'complete',
        status: 200,
        error: null,
        detail: null,
      },
    ],
    ...over,
  };
}

/** Inserts a run as a version with fewer columns did. */
export async function putOldRun({ query }: Database, over: Partial<RunRecord> = {}): Promise<void> {
  const run = runRecord(over);
  await query
    .insertInto('llm_run')
    .values({
      id: run.id,
      parent: run.parent,
      root: run.root,
      via: run.via,
      request_id: run.requestId,
      tenant: run.tenant,
      issuer: run.issuer,
      subject: run.subject,
      username: run.username,
      roles: run.roles.join(' '),
      capability: run.capability,
      operation: run.operation,
      streamed: 1,
      revision: run.revision,
      started_at: run.startedAt,
      first_token_at: run.firstTokenAt,
      ended_at: run.endedAt,
      outcome: run.outcome,
      error: run.error,
      deployment: run.deployment,
      input_tokens: run.usage?.inputTokens ?? null,
      output_tokens: run.usage?.outputTokens ?? null,
      usage_estimated: 0,
      cost: run.cost,
      cost_femto: run.costFemto ?? null,
      unbudgeted: run.unbudgeted === true ? 1 : null,
      currency: run.currency,
    })
    .execute();
}

/** Adds the last inserted run to the sums, as the writer of the ledger does. PostgreSQL has a trigger on the table. */
export async function sumLastRun(database: Database): Promise<void> {
  if (database.kind === 'sqlite')
    await sql`insert into llm_run_batch (after_rowid) select max(rowid) - 1 from llm_run`.execute(database.query);
}
