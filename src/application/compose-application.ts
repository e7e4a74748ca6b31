/** Composes the application layer from the layers below it. */
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Catalogue } from '../extensions/mcp/catalogue/catalogue.ts';
import type { Quota } from '../quota/quota.ts';
import type { Storage } from '../storage/compose-storage.ts';
import type { People } from '../storage/people.ts';
import { createInFlightRuns } from '../storage/in-flight-runs.ts';
import { createToolLoopStates } from '../storage/tool-loop-state.ts';
import type { AccessLog } from '../telemetry/access-log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/traces/tracing.ts';
import type { Logger } from '../types/logger.ts';
import type { SharedThoughts } from '../types/shared-thoughts.ts';
import { createBackgroundRuns } from './background/background-runs.ts';
import type { CallServices } from './services.ts';
import { createApprovalGate } from './tools/tool-approval.ts';

export interface ApplicationParts {
  readonly answers: AnswerCache;
  readonly dispatcher: Dispatcher;
  readonly catalogue: Catalogue;
  readonly quota: Quota;
  readonly people: Pick<People, 'find'>;
  readonly storage: Storage;
  readonly thoughts: SharedThoughts | null;
  readonly metrics: Metrics;
  readonly accessLog: AccessLog;
  /** Null: no traces are exported. */
  readonly tracing: Tracing | null;
  readonly dataDir: string;
  readonly logger: Logger;
  readonly owned: AsyncDisposableStack;
}

export function composeApplication(parts: ApplicationParts): CallServices {
  const { answers, dispatcher, catalogue, quota, people, storage, thoughts, metrics, accessLog, tracing, dataDir, logger, owned } = parts;
  const { ledger, contents, database, boxFor, responses } = storage;
  const counted = accessLog.logging(metrics.counting(ledger));
  const inFlightRuns = createInFlightRuns({
    ledger: { ...(tracing === null ? counted : tracing.tracing(counted)), content: (...kept) => contents.keep(...kept) },
    stored: ledger,
    dataDir,
    logger,
  });
  owned.use(inFlightRuns);
  const approvals = createApprovalGate(boxFor('mcp approvals'));
  const states = createToolLoopStates(database, boxFor('chat states'));
  const backgroundRuns = createBackgroundRuns(states, logger);
  owned.defer(() => backgroundRuns.close());
  return {
    answers,
    approvals,
    dispatcher,
    catalogue,
    quota,
    people,
    states,
    thoughts,
    backgroundRuns,
    ledger: inFlightRuns,
    responses,
    tracing,
    logger,
  };
}
