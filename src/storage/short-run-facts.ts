/** Puts the numbers of a run into the short columns of `llm_run_fact` on PostgreSQL (decision 70). A number that does not fit stays in its long column. */
import type { shortNumbers, shortTimes } from './migrations/short-run-columns.ts';
import type { RunFactTable } from './schema.ts';

type Long = (typeof shortNumbers)[number];
/** The columns with values; the others are null. */
export type ShortRunFact = { -readonly [Name in keyof RunFactTable]?: RunFactTable[Name] } & {
  [Name in `short_${Long}` | (typeof shortTimes)[number] | 'request_uuid']?: number | string;
};

/** `\x` and the 16 bytes of a UUID. Other ids have another length. */
const uuidLength = 34;

/** The columns without a short one, that are null in many rows. */
const kept = [
  'person',
  'api_key',
  'caller',
  'target',
  'result',
  'failed',
  'parent',
  'root',
  'on_behalf_of',
  'cache_write_1h_tokens',
  'audio_input_tokens',
  'audio_output_tokens',
  'image_input_tokens',
  'image_output_tokens',
  'pictures',
  'milliseconds',
  'characters',
  'pages',
  'searches',
] as const;

function put(row: ShortRunFact, name: Long, value: number | null): void {
  if (value === null) return;
  if (value === (value | 0)) row[`short_${name}`] = value;
  else row[name] = value;
}

const isTwoBytes = (value: number): boolean => value === (value << 16) >> 16;

export function shortFactOf(fact: RunFactTable): ShortRunFact {
  const row: ShortRunFact = { started_at: fact.started_at, tenant: fact.tenant, id: fact.id };
  if (fact.request_id.length === uuidLength) row.request_uuid = String(fact.request_id).slice(2);
  else row.request_id = fact.request_id;
  const same: Record<string, unknown> = row;
  for (const name of kept) if (fact[name] !== null) same[name] = fact[name];
  put(row, 'ended_ms', fact.ended_ms);
  put(row, 'first_token_ms', fact.first_token_ms);
  putAttempt(row, fact);
  put(row, 'revision', fact.revision);
  put(row, 'input_tokens', fact.input_tokens);
  put(row, 'output_tokens', fact.output_tokens);
  put(row, 'cached_input_tokens', fact.cached_input_tokens);
  put(row, 'reasoning_tokens', fact.reasoning_tokens);
  put(row, 'cache_write_tokens', fact.cache_write_tokens);
  put(row, 'cost', fact.cost);
  // A known cost without a fraction needs no 0.
  if (fact.cost === null || fact.cost_femto !== 0) put(row, 'cost_femto', fact.cost_femto);
  return row;
}

/** The times of the only attempt: the first and the last token of the attempt come a moment before those of the run. */
function putAttempt(row: ShortRunFact, fact: RunFactTable): void {
  const { attempt_started_ms: started, attempt_first_token_ms: first, attempt_ended_ms: ended } = fact;
  if (started !== null) {
    if (isTwoBytes(started)) row.short_attempt_started_ms = started;
    else row.attempt_started_ms = started;
  }
  if (first !== null) {
    const before = fact.first_token_ms === null ? Number.NaN : fact.first_token_ms - first;
    if (isTwoBytes(before)) row.attempt_first_token_before = before;
    else row.attempt_first_token_ms = first;
  }
  if (ended !== null) {
    const before = fact.ended_ms - ended;
    if (isTwoBytes(before)) row.attempt_ended_before = before;
    else row.attempt_ended_ms = ended;
  }
}
