/** Books a run exactly once, however its events end: complete, failed, cut, or left by the caller. */
import { estimateUsage } from '../../models/estimate-usage.ts';
import type { Run } from '../../telemetry/run.ts';
import { retainedAnswer } from './retained-content.ts';
import type { ChatEvent, ChatEvents, ChatRequest, Usage } from '../../types/chat.ts';
import { type ErrorCode, toGatewayError } from '../../types/errors.ts';
import type { Outcome } from '../../types/run.ts';

/** Ends `run` with what `thrown` means for the ledger. */
export function endRunWithError(run: Run, thrown: unknown): void {
  const error = toGatewayError(thrown);
  run.end(error.code === 'client_closed_request' ? 'aborted' : 'error', error.code);
}

/** About four bytes of a request, and three characters of an answer, are a token. */
function roughMeter(request: ChatRequest, text: () => string): () => Usage {
  let asked: number | null = null;
  return () => {
    asked ??= request.raw?.bytes.length ?? JSON.stringify(request.body).length;
    return { inputTokens: Math.ceil(asked / 4), outputTokens: Math.ceil(text().length / 3), estimated: true };
  };
}

const nothingUsed: Usage = { inputTokens: 0, outputTokens: 0 };

/**
 * Passes the events on and ends the run with them. A `response-end` without usage gets an estimate, marked as such;
 * so does an answer that was cut or left after something had been said. `request` null: a run that is made of the runs within it;
 * its `response-end` tells the sum of what all of them used.
 */
export async function* recordRun(run: Run, request: ChatRequest | null, events: ChatEvents): AsyncGenerator<readonly ChatEvent[]> {
  let text = '';
  const kept = run.keeping === null ? null : retainedAnswer();
  let ended = false;
  const usageNow = (): Usage => (request === null ? (run.spent.usage ?? nothingUsed) : (run.usage ?? estimateUsage(request.body, text)));
  const bookUsage = (usage: Usage): void => {
    if (request !== null) run.used(usage);
  };
  if (request !== null) run.meteredBy(roughMeter(request, () => text));
  const end = (outcome: Outcome, error?: ErrorCode): void => {
    if (kept !== null) run.answered(kept.answer());
    run.end(outcome, error);
  };
  try {
    for await (const batch of events) {
      kept?.add(batch);
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
    if (kept !== null) run.answered(kept.answer());
    endRunWithError(run, thrown);
    throw thrown;
  } finally {
    // Left by the caller in the middle: a generator's `return`.
    if (!ended) {
      bookUsage(usageNow());
      end('aborted', 'client_closed_request');
    }
  }
}
