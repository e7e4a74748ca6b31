/** The tables as Kysely sees them. Times are ISO texts in UTC (configuration) or epoch milliseconds (runs, responses); booleans are 0 and 1; JSON is text. */
import type { runNumbers } from './migrations/run-facts.ts';
import type { RollupRebuildTable, RollupSeriesTable, RollupTable, SpendTable } from './rollup-schema.ts';

export interface ConfigTable {
  id: string;
  tenant: string;
  name: string;
  spec: string;
  enabled: number;
  /** A person as `personRef` writes it; `created_by` and `updated_by` too. */
  owner: string | null;
  /** The id of the row that a grant refers to. */
  target: string | null;
  /** JSON; null when no administrator approved the row. */
  approved_tags: string | null;
  /** JSON: the rights by which the row reaches what it references. */
  basis: string | null;
  /** JSON. */
  labels: string | null;
  revision: number;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
}

export interface RevisionTable {
  id: number;
  revision: number;
}

export interface HistoryTable {
  revision: number;
  sequence: number;
  kind: string;
  tenant: string;
  name: string;
  before: string | null;
  after: string | null;
  at: string;
  actor: string;
  summary: string;
}

export interface RunTable {
  id: string;
  parent: string | null;
  root: string;
  via: string | null;
  request_id: string;
  tenant: string;
  /** Null only for a run of an older version that was read from disk after migration 0018. */
  issuer: string | null;
  subject: string;
  username: string;
  client: string | null;
  key_id: string | null;
  roles: string;
  on_behalf_of: string | null;
  capability: string;
  operation: string;
  streamed: number;
  revision: number;
  started_at: number;
  first_token_at: number | null;
  ended_at: number;
  outcome: string;
  error: string | null;
  deployment: string | null;
  /** The provider that answered, or was tried last; null in runs of versions before the column. */
  provider: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cached_input_tokens: number | null;
  reasoning_tokens: number | null;
  usage_estimated: number;
  cache_write_tokens: number | null;
  cache_write_1h_tokens: number | null;
  audio_input_tokens: number | null;
  audio_output_tokens: number | null;
  image_input_tokens: number | null;
  image_output_tokens: number | null;
  pictures: number | null;
  milliseconds: number | null;
  characters: number | null;
  pages: number | null;
  searches: number | null;
  /** Whole micro-units of the currency. */
  cost: number | null;
  /** Additional femto-units, fewer than 10^9; null counts as 0. */
  cost_femto: number | null;
  /** 1: at a developer's own provider, so that no budget counts the cost. */
  unbudgeted: number | null;
  currency: string | null;
  /** The only attempt of a run that answered (`src/storage/attempt-rows.ts`); null where attempts have rows of their own. */
  attempt_upstream_model: string | null;
  attempt_status: number | null;
  attempt_started_at: number | null;
  attempt_first_token_at: number | null;
  attempt_ended_at: number | null;
}

/** A run in a narrow row (decision 61): texts that repeat are numbers of dimensions, times count from the start, ids are bytes. */
export interface RunFactTable extends Pick<RunTable, 'started_at' | 'tenant' | 'revision' | 'on_behalf_of' | (typeof runNumbers)[number]> {
  first_token_ms: number | null;
  ended_ms: number;
  attempt_started_ms: number | null;
  attempt_first_token_ms: number | null;
  attempt_ended_ms: number | null;
  person: number | null;
  api_key: number | null;
  caller: number | null;
  target: number | null;
  result: number | null;
  failed: number | null;
  /** Bytes, in hexadecimal when they are inserted. */
  id: Uint8Array | string;
  request_id: Uint8Array | string;
  parent: Uint8Array | string | null;
  root: Uint8Array | string | null;
}

/** The view of `llm_run_fact` with the columns of `llm_run`, and those by which it is searched. */
export interface RunRowView extends RunTable {
  person: number;
  api_key: number | null;
  target: number;
  /** 1 for a run that is not complete. */
  failed: number | null;
  packed_id: Uint8Array;
  packed_parent: Uint8Array | null;
  packed_root: Uint8Array | null;
  packed_request_id: Uint8Array;
  /** On PostgreSQL alone: the request id in bytes or as a UUID; the other one is null. */
  long_request_id: Uint8Array | null;
  request_uuid: string | null;
}

export interface AttemptTable {
  run_id: string;
  number: number;
  deployment: string;
  provider: string;
  upstream_model: string;
  started_at: number;
  first_token_at: number | null;
  ended_at: number;
  outcome: string;
  status: number | null;
  error: string | null;
  detail: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cached_input_tokens: number | null;
  cache_write_tokens: number | null;
  cost: number | null;
  cost_femto: number | null;
  currency: string | null;
  /** Null in attempts of older versions, as the columns after it. */
  reasoning_tokens: number | null;
  pictures: number | null;
  milliseconds: number | null;
  characters: number | null;
  pages: number | null;
  searches: number | null;
  usage_estimated: number | null;
}

export interface AuditTable {
  id: string;
  at: string;
  tenant: string;
  actor: string;
  act: string;
  target: string;
  before: string | null;
  after: string | null;
  detail: string | null;
  request_id: string;
  /** Null until the entry is sealed. */
  sequence: number | null;
  hash: string | null;
}

export interface AuditHeadTable {
  id: number;
  sequence: number;
  hash: string;
}

export interface ResponseTable {
  id: string;
  tenant: string;
  issuer: string;
  subject: string;
  created_at: number;
  expires_at: number;
  messages: string;
  response: string;
}

export interface NodeTable {
  id: string;
  host: string;
  version: string;
  revision: number;
  started_at: number;
  seen_at: number;
}

export interface PersonTable {
  issuer: string;
  subject: string;
  tenant: string;
  username: string;
  roles: string;
  permissions: string;
  is_service: number;
  seen_at: number;
}

/** The sums of one kind of run on one day. Empty text for missing values. */
export interface UsageDayTable {
  tenant: string;
  /** Days since 1970, UTC. */
  day: number;
  issuer: string;
  subject: string;
  client: string;
  key_id: string;
  capability: string;
  deployment: string;
  via: string;
  currency: string;
  runs: number;
  /** The number of root runs. */
  calls: number;
  failed: number;
  aborted: number;
  estimated: number;
  /** The number of runs with tokens and an unknown price. */
  unpriced: number;
  input_tokens: number;
  output_tokens: number;
  cached_input_tokens: number;
  reasoning_tokens: number;
  cache_write_tokens: number;
  pictures: number;
  milliseconds: number;
  characters: number;
  pages: number;
  searches: number;
  cost: number;
  cost_femto: number;
}

export interface KeyUseTable {
  id: string;
  used_at: number;
}

/** People who are blocked in a tenant. */
export interface BlockedPersonTable {
  tenant: string;
  issuer: string;
  subject: string;
  blocked_at: number;
  blocked_by: string;
  reason: string;
}

/** Accepted logout tokens. */
export interface SignOutTable {
  issuer: string;
  jti: string;
  expires_at: number;
}

export interface SessionTable {
  id: string;
  /** The issuer's id of the session; null when it has none. */
  sid: string | null;
  issuer: string;
  subject: string;
  tokens: string;
  version: number;
  renewing_until: number;
  created_at: number;
  expires_at: number;
}

export interface McpCatalogueTable {
  server: string;
  kind: string;
  name: string;
  tenant: string;
  state: string;
  present: number;
  definition: string | null;
  digest: string;
  seen_definition: string | null;
  seen_digest: string | null;
  changed_at: number;
  decided_by: string | null;
}

export interface McpAccountTable {
  server: string;
  issuer: string;
  subject: string;
  state: string;
  version: number;
  renewing_until: number;
  updated_at: number;
}

export interface ChatStateTable {
  id: string;
  state: string;
  expires_at: number;
}

export interface RunContentTable {
  id: string;
  content: string;
  expires_at: number;
}

export interface BudgetAlertTable {
  id: string;
  tenant: string;
  /** The name of the limit when the threshold was reached. */
  limit_name: string;
  /** The row and scope of the limit. */
  rule: string;
  counter: string;
  period: string;
  threshold: number;
  body: string;
  created_at: number;
  period_until: number;
  attempts: number;
  /** When it is sent next; null once it was delivered or given up. */
  next_at: number | null;
}

export interface Schema {
  llm_provider_config: ConfigTable;
  llm_model_config: ConfigTable;
  llm_skill_config: ConfigTable;
  llm_mcp_config: ConfigTable;
  llm_grant: ConfigTable;
  llm_limit: ConfigTable;
  llm_key: ConfigTable;
  llm_service_account: ConfigTable;
  llm_team: ConfigTable;
  llm_key_use: KeyUseTable;
  llm_person: PersonTable;
  llm_config_revision: RevisionTable;
  llm_config_history: HistoryTable;
  llm_run: RunTable;
  llm_run_fact: RunFactTable;
  llm_run_row: RunRowView;
  /** The runs of all versions. */
  llm_run_all: RunTable;
  llm_usage_day: UsageDayTable;
  llm_attempt: AttemptTable;
  llm_audit: AuditTable;
  llm_audit_head: AuditHeadTable;
  llm_response: ResponseTable;
  llm_node: NodeTable;
  llm_session: SessionTable;
  llm_blocked_person: BlockedPersonTable;
  llm_sign_out: SignOutTable;
  llm_mcp_catalogue: McpCatalogueTable;
  llm_mcp_account: McpAccountTable;
  llm_chat_state: ChatStateTable;
  llm_run_content: RunContentTable;
  llm_budget_alert: BudgetAlertTable;
  llm_spend: SpendTable;
  llm_rollup_series: RollupSeriesTable;
  llm_rollup_hour: RollupTable;
  llm_rollup_day: RollupTable;
  llm_rollup_rebuild: RollupRebuildTable;
}
