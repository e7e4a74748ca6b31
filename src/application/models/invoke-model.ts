/** Calls `model/<name>`: opens the run, dispatches the call and records the answer. */
import { estimateSize } from '../../models/estimate-usage.ts';
import { fetchReasoning } from '../../models/reasoning-memory.ts';
import { newOrderedId } from '../../telemetry/ordered-id.ts';
import { Run } from '../../telemetry/run.ts';
import { personKey } from '../../types/access.ts';
import type { CallSignal } from '../../types/call-signal.ts';
import type { ChatEvents, ChatRequest } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Deployment, ModelEntry } from '../../types/snapshot.ts';
import type { Operation } from '../../types/wire-format.ts';
import { recordRun, endRunWithError } from './recorded-run.ts';
import { callContext } from './call-context.ts';
import type { Caller } from '../caller.ts';
import type { CallServices } from '../services.ts';

export interface ModelCall {
  readonly run: Run;
  readonly deployment: string;
  readonly attempts: number;
  readonly warnings: readonly string[];
  readonly events: ChatEvents;
}

/** A new run of the caller: a root run, or a child of `parent`. */
export function openRun(
  services: CallServices,
  caller: Caller,
  parent: Run | null,
  capability: string,
  operation: string,
  streamed: boolean,
): Run {
  const onBehalfOf = caller.acting?.publisher ?? null;
  if (parent !== null) return parent.child(capability, operation, onBehalfOf);
  const { principal, requestId, revision } = caller;
  const start = { principal, requestId, capability, operation, streamed, revision, onBehalfOf };
  const { tracing, ledger } = services;
  const id = newOrderedId();
  const run = new Run(ledger, tracing === null ? start : { ...start, trace: tracing.begin(id, caller.traceparent) }, null, id);
  // Also on errors, and on a stream whose headers leave before its answer begins.
  caller.setHeaders({ 'x-pailou-trace-id': run.id });
  ledger.opened?.(run);
  return run;
}

/** Formats other than OpenAI's decide by themselves which thoughts they send. */
function wantsThoughts({ replays = [], reasoning, provider }: Deployment): boolean {
  return replays.length > 0 || (provider.instance.formats.chat !== 'openai' && reasoning?.thinking !== false);
}

export function requireOperation(model: ModelEntry, operation: Operation): void {
  if (model.spec.operations.includes(operation)) return;
  throw new GatewayError(
    'invalid_request',
    `The model "${model.name}" does ${model.spec.operations.join(' and ')}, not ${operation}; choose another model.`,
    {
      param: 'model',
    },
  );
}

/** Fetches reasoning that another node remembers, for models that want it back. Null when there is nothing to fetch. */
function missingReasoning({ thoughts }: CallServices, run: Run, model: ModelEntry, request: ChatRequest): Promise<void> | null {
  if (thoughts === null || !model.deployments.some(wantsThoughts)) return null;
  return fetchReasoning(personKey(run.start.principal), request, thoughts);
}

/**
 * Calls `model` in a new run. The caller must have the right to use it; this function does not check it. Resolves with the deployment that
 * answers: at the first visible token of a stream, else with the whole answer. Throws or rejects with a GatewayError when no deployment
 * gives any output.
 */
export function invokeModel(
  services: CallServices,
  caller: Caller,
  model: ModelEntry,
  request: ChatRequest,
  options: { stream: boolean; parent?: Run | null; signal?: CallSignal; checksForm?: boolean },
): Promise<ModelCall> {
  requireOperation(model, 'chat');
  const run = openRun(services, caller, options.parent ?? null, `model/${model.name}`, 'chat', options.stream);
  run.asked(request.body);
  const fail = (thrown: unknown): never => {
    endRunWithError(run, thrown);
    throw thrown;
  };
  const begin = (): Promise<ModelCall> => {
    const { stream, signal = caller.signal, checksForm = false } = options;
    const context = callContext(services, caller, run, { stream, signal, checksForm, size: () => estimateSize(request.body) });
    return services.dispatcher.chat(model, request, context).then(
      ({ deployment, attempts, warnings, events }) => ({
        run,
        deployment: deployment.id,
        attempts,
        warnings,
        events: recordRun(run, request, events),
      }),
      fail,
    );
  };
  try {
    const fetching = missingReasoning(services, run, model, request);
    return fetching === null ? begin() : fetching.then(begin).catch(fail);
  } catch (thrown) {
    return fail(thrown);
  }
}
