/** What the walk of a call needs; put together once in `main.ts`. */
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Catalogue } from '../extensions/mcp/catalogue/catalogue.ts';
import type { Quota } from '../quota/quota.ts';
import type { People } from '../storage/people.ts';
import type { ResponseStore } from '../storage/response-store.ts';
import type { ToolLoopStates } from '../types/tool-loop-state.ts';
import type { Ledger } from '../types/run.ts';
import type { Logger } from '../types/logger.ts';
import type { BackgroundRuns } from './background/background-runs.ts';
import type { ApprovalGate } from './tools/tool-approval.ts';

export interface CallServices {
  /** Answers from before, for models that keep them. */
  readonly answers: AnswerCache;
  readonly dispatcher: Dispatcher;
  readonly approvals: ApprovalGate;
  readonly catalogue: Catalogue;
  readonly quota: Quota;
  /** What is known of those who published skills that run as themselves. */
  readonly people: Pick<People, 'find'>;
  /** What chats with server-side tools keep between two requests. */
  readonly states: ToolLoopStates;
  readonly ledger: Ledger;
  /** Runs of skills that nobody waits for. */
  readonly backgroundRuns: BackgroundRuns;
  /** Null where the operator has switched it off. */
  readonly responses: ResponseStore | null;
  readonly logger: Logger;
}
