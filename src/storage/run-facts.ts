/** Writes runs into the narrow rows of `llm_run_fact` (decision 61). */
import type { Database, RowBatch } from './database.ts';
import { packedHex } from './packed-ids.ts';
import { createRunDimensions, type DimensionIds } from './run-dimensions.ts';
import type { AttemptTable, RunFactTable, RunTable } from './schema.ts';
import { shortFactOf } from './short-run-facts.ts';

/** Written out: a row that is filled in a loop costs several times as much. */
function factOf(run: RunTable, dimensions: DimensionIds, index: number): RunFactTable {
  const since = (time: number | null): number | null => (time === null ? null : time - run.started_at);
  return {
    started_at: run.started_at,
    first_token_ms: since(run.first_token_at),
    ended_ms: run.ended_at - run.started_at,
    attempt_started_ms: since(run.attempt_started_at),
    attempt_first_token_ms: since(run.attempt_first_token_at),
    attempt_ended_ms: since(run.attempt_ended_at),
    input_tokens: run.input_tokens,
    output_tokens: run.output_tokens,
    cached_input_tokens: run.cached_input_tokens,
    reasoning_tokens: run.reasoning_tokens,
    cache_write_tokens: run.cache_write_tokens,
    cache_write_1h_tokens: run.cache_write_1h_tokens,
    audio_input_tokens: run.audio_input_tokens,
    audio_output_tokens: run.audio_output_tokens,
    image_input_tokens: run.image_input_tokens,
    image_output_tokens: run.image_output_tokens,
    pictures: run.pictures,
    milliseconds: run.milliseconds,
    characters: run.characters,
    pages: run.pages,
    searches: run.searches,
    cost: run.cost,
    cost_femto: run.cost_femto,
    revision: run.revision,
    person: dimensions.person[index] ?? null,
    api_key: dimensions.api_key[index] ?? null,
    caller: dimensions.caller[index] ?? null,
    target: dimensions.target[index] ?? null,
    result: dimensions.result[index] ?? null,
    failed: run.outcome === 'complete' ? null : 1,
    tenant: run.tenant,
    id: packedHex(run.id),
    request_id: packedHex(run.request_id),
    parent: run.parent === null ? null : packedHex(run.parent),
    root: run.root === run.id ? null : packedHex(run.root),
    on_behalf_of: run.on_behalf_of,
  };
}

export interface RunRows {
  readonly runs: readonly RunTable[];
  readonly attempts: readonly AttemptTable[];
}

export interface RunFacts {
  /** In one transaction; each run once. Rejects with the driver's error. */
  insert(rows: RunRows): Promise<void>;
}

export function createRunFacts(database: Database): RunFacts {
  const dimensions = createRunDimensions(database);

  const insert = async ({ runs, attempts }: RunRows): Promise<void> => {
    const ids = await dimensions.idsOf(runs);
    const facts = runs.map((run, index) => factOf(run, ids, index));
    const batches: readonly RowBatch[] = [
      {
        table: 'llm_run_fact',
        rows: database.kind === 'postgres' ? facts.map(shortFactOf) : facts,
        summedBy: 'llm_run_fact_batch',
        bytes: ['id', 'request_id', 'parent', 'root'],
      },
      {
        table: 'llm_attempt',
        rows: attempts.map((attempt) => ({ ...attempt, run_key: packedHex(attempt.run_id) })),
        summedBy: 'llm_attempt_batch',
        bytes: ['run_key'],
      },
    ];
    await database.insertMany(batches);
  };

  return {
    async insert(rows) {
      try {
        await insert(rows);
      } catch (thrown) {
        dimensions.forget();
        // The numbers may be those of a database that another one has replaced.
        if (!database.blamesData(thrown)) throw thrown;
        await insert(rows);
      }
    },
  };
}
