/** The services of the application layer, composed once. */
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Catalogue } from '../extensions/mcp/catalogue/catalogue.ts';
import type { Quota } from '../quota/quota.ts';
import type { People } from '../storage/people.ts';
import type { ResponseStore } from '../storage/response-store.ts';
import type { SharedThoughts } from '../types/shared-thoughts.ts';
import type { ToolLoopStates } from '../types/tool-loop-state.ts';
import type { Ledger } from '../types/run.ts';
import type { Tracing } from '../telemetry/traces/tracing.ts';
import type { Logger } from '../types/logger.ts';
import type { BackgroundRuns } from './background/background-runs.ts';
import type { ApprovalGate } from './tools/tool-approval.ts';

export interface CallServices {
  /** The cache of answers, for models that enable it. */
  readonly answers: AnswerCache;
  readonly dispatcher: Dispatcher;
  readonly approvals: ApprovalGate;
  readonly catalogue: Catalogue;
  readonly quota: Pick<Quota, 'take' | 'arrive'>;
  /** The publishers of skills that run as themselves. */
  readonly people: Pick<People, 'find'>;
  /** The state of chats with server-side tools between two requests. */
  readonly states: ToolLoopStates;
  /** The reasoning that all nodes remember. Null: each node remembers its own. */
  readonly thoughts: SharedThoughts | null;
  readonly ledger: Ledger;
  /** Background runs of skills. */
  readonly backgroundRuns: BackgroundRuns;
  /** Null when the operator has disabled it. */
  readonly responses: ResponseStore | null;
  /** Null: no traces are exported. */
  readonly tracing: Pick<Tracing, 'begin'> | null;
  readonly logger: Logger;
}
