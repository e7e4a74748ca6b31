/** An attempt at a deployment whose vendor does not enforce JSON Schemas: the answer is buffered, validated, and repaired by the model. */
import { choicesOf } from '../models/choice-count.ts';
import type { SchemaCheck } from '../schema/json-schema.ts';
import { singleBatch } from '../streaming/single-batch.ts';
import type { ChatEvent, ChatEvents, ChatRequest, FinishReason } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import { checkFor, validateAnswer, withSchemaInPrompt } from './answer-schema.ts';
import { type AttemptAnswer, attemptChat, type AttemptContext, type ChatAttemptOptions } from './attempt.ts';
import type { Deployments } from './deployments.ts';
import { type MergedUsage, textOf } from './merged-usage.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface SchemaContext extends AttemptContext {
  readonly schema: JsonObject;
  /** True when the caller validates and repairs the answer itself. The schema then only goes into the prompt. */
  readonly checkedByCaller: boolean;
  readonly deployments: Deployments;
  /** Usage of rejected answers, for the whole call. */
  readonly mergedUsage: MergedUsage;
}

/** The most repair rounds. */
const maxRepairs = 2;

interface Choice {
  text: string;
  finish: FinishReason | null;
  /** True for a tool call or a refusal, which the schema does not apply to. */
  isExempt: boolean;
}

function choicesIn(events: readonly ChatEvent[]): ReadonlyMap<number, Choice> {
  const choices = new Map<number, Choice>();
  for (const event of events) {
    if (!('choice' in event)) continue;
    let choice = choices.get(event.choice);
    if (choice === undefined) choices.set(event.choice, (choice = { text: '', finish: null, isExempt: false }));
    if (event.type === 'text-delta') choice.text += event.text;
    else if (event.type === 'finish') choice.finish = event.reason;
    else if (event.type === 'tool-call-start' || event.type === 'refusal-delta') choice.isExempt = true;
  }
  return choices;
}

interface Verdict {
  readonly text: string;
  readonly fault: string;
}

/** The fault of the first choice that does not fit, or the final text of each choice. A truncated answer has its finish reason and is not judged. */
function validateChoices(events: readonly ChatEvent[], check: SchemaCheck): Verdict | ReadonlyMap<number, string> {
  const texts = new Map<number, string>();
  for (const [index, { text, finish, isExempt }] of choicesIn(events)) {
    if (isExempt || finish !== 'stop') continue;
    const result = validateAnswer(text, check);
    if ('fault' in result) return { text, fault: result.fault };
    if (result.json !== text) texts.set(index, result.json);
  }
  return texts;
}

/** The events with the text of some choices replaced. */
function replaceTexts(events: readonly ChatEvent[], texts: ReadonlyMap<number, string>): readonly ChatEvent[] {
  const replaced = new Set<number>();
  return events.flatMap((event): readonly ChatEvent[] => {
    const text = event.type === 'text-delta' ? texts.get(event.choice) : undefined;
    if (text === undefined || event.type !== 'text-delta') return [event];
    if (replaced.has(event.choice)) return [];
    replaced.add(event.choice);
    return [{ type: 'text-delta', choice: event.choice, text }];
  });
}

async function all(events: ChatEvents): Promise<readonly ChatEvent[]> {
  const collected: ChatEvent[] = [];
  for await (const batch of events) collected.push(...batch);
  return collected;
}

function doesNotFit({ fault, text }: Verdict, repairs: number): GatewayError {
  const afterRepair = repairs === 0 ? '' : ', also after a repair';
  return new GatewayError(
    'output_invalid',
    `The answer of the model does not fit the JSON Schema of response_format${afterRepair}: ${fault}. Another model may do better.`,
    { retryable: true, expose: { best_attempt: text.slice(0, 20_000) } },
  );
}

function repairOf(request: ChatRequest, { text, fault }: Verdict): ChatRequest {
  const instruction = `That does not fit the schema: ${fault}. Answer again with JSON that fits, and with nothing else.`;
  const messages = [...request.body.messages, { role: 'assistant', content: text }, { role: 'user', content: instruction }];
  return { ...request, body: { ...request.body, messages } };
}

/**
 * Like `attemptChat`, for whole answers. Each repair is a separate attempt in the ledger, and the caller's usage includes its tokens.
 * Rejects with `output_invalid` after the last repair; another deployment may do better.
 */
export async function attemptWithSchema(
  deployment: Deployment,
  model: ModelEntry,
  request: ChatRequest,
  wish: ChatAttemptOptions,
  { schema, checkedByCaller, deployments, mergedUsage, ...context }: SchemaContext,
): Promise<AttemptAnswer> {
  const level = deployment.structuredOutput ?? 'none';
  const withSchema = withSchemaInPrompt(request, schema, level);
  const note = `response_format checked by Pailou: ${deployment.provider.name} has no JSON Schema for this model`;
  if (checkedByCaller) {
    const answer = await attemptChat(deployment, model, withSchema, wish, context);
    return { ...answer, warnings: [...answer.warnings, note] };
  }
  const check = checkFor(schema);
  let current = withSchema;
  let { permit } = context;
  for (let repairs = 0; ; repairs++) {
    const answer = await attemptChat(deployment, model, current, { stream: wish.stream, whole: true }, { ...context, permit });
    const events = await all(answer.events);
    const last = events.at(-1);
    const use = { request: current.body, text: textOf(events), reported: last?.type === 'response-end' ? last.usage : null };
    const verdict = validateChoices(events, check);
    if (!('fault' in verdict)) {
      const notes = repairs === 0 ? [note] : [note, `answer repaired ${repairs} times`];
      const whole = mergedUsage.onLast(replaceTexts(events, verdict), use);
      return { warnings: [...answer.warnings, ...notes], events: singleBatch(whole), repairs };
    }
    mergedUsage.add(use, deployment);
    context.run.answeredBy(deployment.id, deployment.price, deployment.provider.restricted === true);
    const failure = doesNotFit(verdict, repairs);
    // A repair continues one conversation; several choices do not share one.
    if (repairs >= maxRepairs || choicesOf(request.body) > 1 || monotonicNow() >= context.totalAt) throw failure;
    const next = deployments.enter(deployment, model.spec.circuit, monotonicNow());
    if ('reason' in next) throw failure;
    permit = next;
    current = repairOf(withSchema, verdict);
  }
}
