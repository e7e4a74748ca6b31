/** Records a run once, with the outcome complete, error or aborted. */
import { estimateUsage } from '../../models/estimate-usage.ts';
import type { Run } from '../../telemetry/run.ts';
import { retainedAnswer } from './retained-content.ts';
import type { ChatEvent, ChatEvents, ChatRequest, Usage } from '../../types/chat.ts';
import { type ErrorCode, toGatewayError } from '../../types/errors.ts';
import type { Outcome } from '../../types/run.ts';

/** Ends `run` with the outcome of an error. */
export function endRunWithError(run: Run, thrown: unknown): void {
  const error = toGatewayError(thrown);
  run.end(error.code === 'client_closed_request' ? 'aborted' : 'error', error.code);
}

/** Estimates one token per four bytes of a request and per three characters of an answer. */
function roughMeter(request: ChatRequest, text: () => string): () => Usage {
  let requestBytes: number | null = null;
  return () => {
    requestBytes ??= request.raw?.bytes.length ?? JSON.stringify(request.body).length;
    return { inputTokens: Math.ceil(requestBytes / 4), outputTokens: Math.ceil(text().length / 3), estimated: true };
  };
}

const nothingUsed: Usage = { inputTokens: 0, outputTokens: 0 };

/**
 * Passes the events on and ends the run with them. A `response-end` without usage gets an estimate, marked as such; so does an
 * interrupted answer with output. `request` null: a run that consists of child runs. Its `response-end` contains the sum of their usage.
 */
export async function* recordRun(run: Run, request: ChatRequest | null, events: ChatEvents): AsyncGenerator<readonly ChatEvent[]> {
  let text = '';
  const retained = run.keeping === null ? null : retainedAnswer();
  let ended = false;
  const usageNow = (): Usage => (request === null ? (run.spent.usage ?? nothingUsed) : (run.usage ?? estimateUsage(request.body, text)));
  const bookUsage = (usage: Usage): void => {
    if (request !== null) run.used(usage);
  };
  if (request !== null) run.meteredBy(roughMeter(request, () => text));
  const end = (outcome: Outcome, error?: ErrorCode): void => {
    if (retained !== null) run.answered(retained.answer());
    run.end(outcome, error);
  };
  try {
    for await (const batch of events) {
      retained?.add(batch);
      let complete: ChatEvent[] | null = null;
      for (const event of batch) {
        if (event.type === 'text-delta' || event.type === 'reasoning-delta' || event.type === 'refusal-delta') text += event.text;
        else if (event.type === 'tool-call-delta') text += event.arguments;
        else if (event.type === 'response-end') {
          const usage = request === null ? usageNow() : (event.usage ?? usageNow());
          if (usage !== event.usage) complete = batch.map((each) => (each.type === 'response-end' ? { ...each, usage } : each));
          bookUsage(usage);
        }
      }
      yield complete ?? batch;
    }
    ended = true;
    end('complete');
  } catch (thrown) {
    ended = true;
    if (text !== '') bookUsage(usageNow());
    if (retained !== null) run.answered(retained.answer());
    endRunWithError(run, thrown);
    throw thrown;
  } finally {
    // The consumer has stopped early: the generator's `return` was called.
    if (!ended) {
      bookUsage(usageNow());
      end('aborted', 'client_closed_request');
    }
  }
}
