/** A skill's run as `/v1/skills/{name}/runs` tells it: one JSON object, or named events. */
import type { ChatEvent, ChatEvents, StepRecord, Usage } from '../../types/chat.ts';
import { type GatewayError, toGatewayError } from '../../types/errors.ts';
import type { Json, JsonObject } from '../../types/json.ts';

export interface RunFace {
  readonly id: string;
  readonly skill: string;
  readonly version: string;
  /** True if the answer's text is JSON that stands for itself. */
  readonly typed: boolean;
}

export interface GatheredRun {
  readonly text: string;
  readonly usage: Usage | null;
  readonly steps: readonly StepRecord[];
}

const usageOf = (usage: Usage | null): JsonObject | null =>
  usage === null ? null : { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens };

function head({ id, skill, version }: RunFace): JsonObject {
  return { id, object: 'skill.run', skill, version };
}

/** The end of a run as an object. */
export function completedRun(face: RunFace, { text, usage, steps }: GatheredRun): JsonObject {
  const output: Json = face.typed ? (JSON.parse(text) as Json) : text;
  const told = steps.filter((step) => step.status !== 'started') as unknown as JsonObject[];
  return { ...head(face), status: 'completed', output, usage: usageOf(usage), ...(told.length === 0 ? {} : { steps: told }) };
}

export function failedRun(face: RunFace, thrown: unknown): JsonObject {
  const error = toGatewayError(thrown);
  const status = error.code === 'client_closed_request' ? 'cancelled' : 'failed';
  return { ...head(face), status, output: null, usage: null, error: { code: error.code, message: error.message, ...error.expose } };
}

/** Takes events in; `done` once they have ended. */
export function gatherRun(): { add(batch: readonly ChatEvent[]): void; readonly done: () => GatheredRun } {
  let text = '';
  let usage: Usage | null = null;
  const steps: StepRecord[] = [];
  return {
    add(batch) {
      for (const event of batch) {
        if (event.type === 'text-delta' && event.choice === 0) text += event.text;
        else if (event.type === 'step') steps.push(event.step);
        else if (event.type === 'response-end') usage = event.usage;
      }
    },
    done: () => ({ text, usage, steps }),
  };
}

export function runEvent(name: string, data: JsonObject): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What of a batch is worth telling while it goes on. */
export function progressEvents(batch: readonly ChatEvent[]): { readonly name: string; readonly data: JsonObject }[] {
  return batch.flatMap((event) => {
    if (event.type === 'text-delta' && event.choice === 0) return [{ name: 'delta', data: { text: event.text } }];
    return event.type === 'step' ? [{ name: 'step', data: event.step as unknown as JsonObject }] : [];
  });
}

/** For `answerChat`. */
export function runWriter(face: RunFace) {
  return {
    async collect(events: ChatEvents): Promise<string> {
      const gathered = gatherRun();
      for await (const batch of events) gathered.add(batch);
      return JSON.stringify(completedRun(face, gathered.done()));
    },
    stream() {
      const gathered = gatherRun();
      let begun = false;
      return {
        write(batch: readonly ChatEvent[]): string {
          gathered.add(batch);
          let text = begun ? '' : runEvent('started', { ...head(face), status: 'running' });
          begun = true;
          for (const { name, data } of progressEvents(batch)) text += runEvent(name, data);
          if (batch.some((event) => event.type === 'response-end')) text += runEvent('completed', completedRun(face, gathered.done()));
          return text;
        },
        error: (error: GatewayError): string => runEvent('failed', failedRun(face, error)),
      };
    },
  };
}
