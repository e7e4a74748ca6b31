/** A skill run in the format of `/v1/skills/{name}/runs`: one JSON object, or named events. */
import type { ChatEvent, FinishReason, StepRecord, Usage } from '../../types/chat.ts';
import { type GatewayError, toGatewayError } from '../../types/errors.ts';
import type { Json, JsonObject } from '../../types/json.ts';

export interface RunView {
  readonly id: string;
  readonly skill: string;
  readonly version: string;
  /** True when the answer's text is JSON, to be returned as a value. */
  readonly typed: boolean;
  /** Usage of the run and its nested calls so far; also for a failed run. */
  readonly spent: () => Usage | null;
}

export interface GatheredRun {
  readonly text: string;
  readonly usage: Usage | null;
  readonly steps: readonly StepRecord[];
  readonly reason: FinishReason;
}

const usageOf = (usage: Usage | null): JsonObject | null =>
  usage === null ? null : { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens };

function head({ id, skill, version }: RunView): JsonObject {
  return { id, object: 'skill.run', skill, version };
}

export function startedRun(run: RunView): JsonObject {
  return { ...head(run), status: 'running' };
}

/** Steps that have ended or wait. A started step is listed when it ends. */
export const endedSteps = (steps: readonly StepRecord[]): JsonObject[] =>
  steps.filter(({ status }) => status !== 'started') as unknown as JsonObject[];

/** The final object of a run. Truncated text has the status `incomplete`, with the reason. */
export function completedRun(run: RunView, { text, usage, steps, reason }: GatheredRun): JsonObject {
  const output: Json = run.typed ? (JSON.parse(text) as Json) : text;
  const ended = endedSteps(steps);
  const isCut = reason === 'length' || reason === 'content_filter';
  return {
    ...head(run),
    status: isCut ? 'incomplete' : 'completed',
    ...(isCut ? { incomplete_details: { reason } } : {}),
    output,
    usage: usageOf(usage),
    ...(ended.length === 0 ? {} : { steps: ended }),
  };
}

export function failedRun(run: RunView, thrown: unknown): JsonObject {
  const error = toGatewayError(thrown);
  const status = error.code === 'client_closed_request' ? 'cancelled' : 'failed';
  const param = error.param === null ? {} : { param: error.param };
  return {
    ...head(run),
    status,
    output: null,
    usage: usageOf(run.spent()),
    error: { code: error.code, message: error.message, ...param, ...error.expose },
  };
}

/** Collects events. Call `done` after the last one. */
export function gatherRun(): { add(batch: readonly ChatEvent[]): void; readonly done: () => GatheredRun } {
  let text = '';
  let usage: Usage | null = null;
  let reason: FinishReason = 'stop';
  const steps: StepRecord[] = [];
  return {
    add(batch) {
      for (const event of batch) {
        if (event.type === 'text-delta' && event.choice === 0) text += event.text;
        else if (event.type === 'step') steps.push(event.step);
        else if (event.type === 'finish' && event.choice === 0) reason = event.reason;
        else if (event.type === 'response-end') usage = event.usage;
      }
    },
    done: () => ({ text, usage, steps, reason }),
  };
}

export function runEvent(name: string, data: JsonObject): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The events of a batch that are emitted as progress. */
export function progressEvents(batch: readonly ChatEvent[]): { readonly name: string; readonly data: JsonObject }[] {
  return batch.flatMap((event) => {
    if (event.type === 'text-delta' && event.choice === 0) return [{ name: 'delta', data: { text: event.text } }];
    return event.type === 'step' ? [{ name: 'step', data: event.step as unknown as JsonObject }] : [];
  });
}

/** The only event of a run that failed before it began. */
export function failedRunEvent(skill: string, version: string, { code, message }: GatewayError): string {
  return runEvent('failed', { object: 'skill.run', skill, version, status: 'failed', error: { code, message } });
}

/** For `answerWhenBegun`. */
export function runWriter(run: RunView) {
  return {
    collect() {
      const gathered = gatherRun();
      return {
        add: (batch: readonly ChatEvent[]) => gathered.add(batch),
        text: () => JSON.stringify(completedRun(run, gathered.done())),
      };
    },
    stream() {
      const gathered = gatherRun();
      let begun = false;
      const begin = (): string => {
        if (begun) return '';
        begun = true;
        return runEvent('started', startedRun(run));
      };
      return {
        write(batch: readonly ChatEvent[]): string {
          gathered.add(batch);
          let text = begin();
          for (const { name, data } of progressEvents(batch)) text += runEvent(name, data);
          if (batch.some((event) => event.type === 'response-end')) {
            const end = completedRun(run, gathered.done());
            text += runEvent(end['status'] as string, end);
          }
          return text;
        },
        error: (error: GatewayError): string => `${begin()}${runEvent('failed', failedRun(run, error))}`,
      };
    },
  };
}
