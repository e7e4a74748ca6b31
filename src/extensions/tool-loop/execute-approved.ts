/** Executes approved calls at the start of a loop, or replays them when an earlier request has executed them. */
import type { ChatEvent } from '../../types/chat.ts';
import type { JsonObject } from '../../types/json.ts';
import { callTools, type ToolExecutor } from './call-tools.ts';
import type { ApprovedCalls } from './approved-calls.ts';
import { interrupted, unknownEnd } from './pending-approvals.ts';
import { budgetBehind } from './result-budget.ts';
import { stepEvent, toolMessage } from './server-call.ts';

/** The results of the decided calls. */
export interface ExecutedCalls {
  /** Tool messages for the model. */
  readonly results: readonly JsonObject[];
  /** Step events for the client. */
  readonly stepEvents: readonly (readonly ChatEvent[])[];
}

/** Executes the allowed calls and stores the results before anything else can fail. */
async function callAllowed(executor: ToolExecutor, decided: ApprovedCalls): Promise<ExecutedCalls> {
  const { allowed, refused } = decided;
  const stepEvents: (readonly ChatEvent[])[] = [];
  const results = allowed.map(({ call }) => toolMessage(call, unknownEnd));
  const errors: (string | null)[] = allowed.map(() => interrupted);
  const steps = callTools(executor, allowed, {
    stepPrefix: 'approved',
    budget: budgetBehind(decided.hidden),
    approved: true,
    onResult: (index, message, error) => {
      results[index] = message;
      errors[index] = error;
    },
  });
  try {
    for await (const events of steps) stepEvents.push(events);
  } finally {
    await decided.keep([...results, ...refused], errors);
  }
  return { results: [...results, ...refused], stepEvents };
}

/** Replays the steps of calls that an earlier request executed: its answer may have been lost. */
function replayedSteps({ allowed, errors }: ApprovedCalls, results: readonly JsonObject[]): ExecutedCalls['stepEvents'] {
  if (allowed.length === 0) return [];
  const textOf = (id: string): string => {
    const content = results.find((message) => message['tool_call_id'] === id)?.['content'];
    return typeof content === 'string' ? content : '';
  };
  const steps = allowed.map((each, index) => ({ each, id: `approved.${index + 1}`, error: errors[index] ?? null }));
  return [
    steps.map(({ each, id }) => stepEvent(each, { id, status: 'started' })),
    steps.map(({ each, id, error }) =>
      stepEvent(each, error === null ? { id, status: 'completed' } : { id, status: 'failed', error }, textOf(each.call.id)),
    ),
  ];
}

/** Throws `invalid_request` while another request executes the same calls. */
export async function executeApproved(executor: ToolExecutor, decided: ApprovedCalls): Promise<ExecutedCalls> {
  if (decided.results !== null) return { results: decided.results, stepEvents: replayedSteps(decided, decided.results) };
  await decided.take();
  return callAllowed(executor, decided);
}
