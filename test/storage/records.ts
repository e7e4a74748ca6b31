/** Sample runs for the ledger. */
import { randomUUID } from 'node:crypto';
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
