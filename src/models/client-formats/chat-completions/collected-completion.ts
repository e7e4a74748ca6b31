/** Collects the events of an answer and renders one `chat.completion`. */
import type { ChatEvent, FinishReason, StepRecord, Usage } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import { betweenRounds, endsRound, separatesMessages, type TextState } from './round-separator.ts';
import { completeAudio, validFinishReason, isUrlCitation, mergeLogprobs, renderExtra, renderImages } from './schema-rules.ts';
import { renderUsage } from './usage.ts';

export interface CompletionOptions {
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
  /** The public model name in the caller's request. */
  readonly model: string;
  /** False leaves out members beyond OpenAI's schema: `reasoning_content`, the tool-loop steps and the mark of an estimate. */
  readonly reasoning: boolean;
  /** What the headers could not say any more: it goes into the last chunk. */
  readonly late?: { readonly warnings?: readonly string[] };
  /** The free-text tools of the request, which a vendor may have been offered as functions. */
  readonly customTools?: ReadonlySet<string>;
}

interface CollectedCall {
  readonly id: string;
  readonly name: string;
  readonly kind: 'function' | 'custom' | 'legacy';
  arguments: string;
}

const noCalls: readonly CollectedCall[] = [];

interface CollectedChoice {
  text: string | null;
  textState: TextState;
  reasoning: string;
  refusal: string | null;
  logprobs: JsonObject | null;
  audio: JsonObject | null;
  finish: FinishReason | null;
  readonly annotations: JsonObject[];
  readonly images: string[];
  readonly thoughts: JsonObject[];
  calls: Map<number, CollectedCall> | null;
}

export interface Collection {
  readonly choices: Map<number, CollectedChoice>;
  readonly steps: StepRecord[];
  extra: JsonObject | undefined;
  usage: Usage | null;
  ended: boolean;
  /** Set when the tool loop ended by its limit. */
  limit: 'max_steps' | undefined;
}

export function startCollection(): Collection {
  return { choices: new Map(), steps: [], extra: undefined, usage: null, ended: false, limit: undefined };
}

function choiceOf(collection: Collection, index: number): CollectedChoice {
  let choice = collection.choices.get(index);
  if (choice === undefined) {
    choice = {
      text: null,
      textState: 'none',
      reasoning: '',
      refusal: null,
      logprobs: null,
      audio: null,
      finish: null,
      annotations: [],
      images: [],
      thoughts: [],
      calls: null,
    };
    collection.choices.set(index, choice);
  }
  return choice;
}

/** `data` and `transcript` arrive in pieces; other members arrive once. */
function mergeAudio(one: JsonObject | null, other: JsonObject): JsonObject {
  if (one === null) return other;
  const both: Record<string, unknown> = { ...one, ...other };
  for (const key of ['data', 'transcript']) {
    if (typeof one[key] === 'string' && typeof other[key] === 'string') both[key] = `${one[key]}${other[key]}`;
  }
  return both as JsonObject;
}

export function collectInto(collection: Collection, event: ChatEvent): void {
  switch (event.type) {
    case 'response-start':
      collection.extra ??= event.extra;
      return;
    case 'response-end':
      collection.usage = event.usage;
      collection.ended = true;
      return;
    case 'step':
      {
        const first = collection.choices.get(0);
        if (first?.textState === 'now' && endsRound(event)) first.textState = 'before';
      }
      // A whole answer lists each step once, with its final status.
      if (event.step.status !== 'started') collection.steps.push(event.step);
      return;
    case 'vendor': {
      const first = collection.choices.get(0);
      if (first?.textState === 'now' && separatesMessages(event)) first.textState = 'before';
      return;
    }
    default:
  }
  const choice = choiceOf(collection, event.choice);
  if (choice.finish !== null) return;
  switch (event.type) {
    case 'text-delta':
      if (choice.textState === 'before' && event.text !== '') choice.text += betweenRounds;
      if (event.text !== '') choice.textState = 'now';
      choice.text = (choice.text ?? '') + event.text;
      if (event.logprobs !== undefined) choice.logprobs = mergeLogprobs(choice.logprobs, event.logprobs);
      return;
    case 'reasoning-delta':
      choice.reasoning += event.text;
      return;
    case 'refusal-delta':
      choice.refusal = (choice.refusal ?? '') + event.text;
      if (event.logprobs !== undefined) choice.logprobs = mergeLogprobs(choice.logprobs, event.logprobs);
      return;
    case 'tool-call-start':
      choice.calls ??= new Map();
      if (!choice.calls.has(event.call))
        choice.calls.set(event.call, { id: event.id, name: event.name, kind: event.kind ?? 'function', arguments: '' });
      return;
    case 'tool-call-delta': {
      const call = choice.calls?.get(event.call);
      if (call !== undefined) call.arguments += event.arguments;
      return;
    }
    case 'audio-delta':
      choice.audio = mergeAudio(choice.audio, event.audio);
      return;
    case 'image':
      choice.images.push(event.url);
      return;
    case 'annotation':
      if (isUrlCitation(event.annotation)) choice.annotations.push(event.annotation);
      return;
    case 'thought':
      choice.thoughts.push(event.detail);
      return;
    case 'finish':
      choice.finish = event.reason;
      collection.limit ??= event.limit;
  }
}

function renderCall(call: CollectedCall, finish: FinishReason): JsonObject {
  if (call.kind === 'custom') return { id: call.id, type: 'custom', custom: { name: call.name, input: call.arguments } };
  const written = call.arguments === '' && finish === 'tool_calls' ? '{}' : call.arguments;
  return { id: call.id, type: 'function', function: { name: call.name, arguments: written } };
}

/** The members of a message that most answers lack, as JSON text. */
function renderCalls(calls: readonly CollectedCall[], finish: FinishReason): string {
  if (calls.length === 0) return '';
  const legacy = calls.find((call) => call.kind === 'legacy');
  const modern = calls.filter((call) => call.kind !== 'legacy');
  const written = modern.length === 0 ? '' : `,"tool_calls":${JSON.stringify(modern.map((call) => renderCall(call, finish)))}`;
  return legacy === undefined
    ? written
    : `${written},"function_call":${JSON.stringify({ name: legacy.name, arguments: legacy.arguments })}`;
}

/** Rendered piece by piece, because every call takes this path: building objects and stringifying them costs twice as much. */
function renderChoice(choice: CollectedChoice, index: number, options: CompletionOptions): string {
  if (choice.finish === null) throw interrupted();
  const calls = choice.calls === null ? noCalls : [...choice.calls.values()];
  const finish = validFinishReason(choice.finish, calls);
  const silent = choice.text === null && calls.length === 0 && choice.refusal === null && choice.audio === null;
  const reasoning = choice.reasoning !== '' && options.reasoning ? `,"reasoning_content":${JSON.stringify(choice.reasoning)}` : '';
  const thoughts = choice.thoughts.length > 0 && options.reasoning ? `,"reasoning_details":${JSON.stringify(choice.thoughts)}` : '';
  const annotations = choice.annotations.length > 0 ? `,"annotations":${JSON.stringify(choice.annotations)}` : '';
  const audio = choice.audio === null ? '' : `,"audio":${JSON.stringify(completeAudio(choice.audio, options.created))}`;
  const images = choice.images.length === 0 ? '' : `,"images":${renderImages(choice.images)}`;
  const content = JSON.stringify(silent ? '' : choice.text);
  const refusal = choice.refusal === null ? 'null' : JSON.stringify(choice.refusal);
  const logprobs = choice.logprobs === null ? 'null' : JSON.stringify(choice.logprobs);
  const message = `{"role":"assistant","content":${content}${reasoning}${thoughts},"refusal":${refusal}${renderCalls(calls, finish)}${annotations}${audio}${images}}`;
  return `{"index":${index},"message":${message},"logprobs":${logprobs},"finish_reason":"${finish}"}`;
}

/** In order of their indexes, which are counted anew. */
function renderChoices(choices: ReadonlyMap<number, CollectedChoice>, options: CompletionOptions): string {
  if (choices.size === 1) for (const only of choices.values()) return renderChoice(only, 0, options);
  return [...choices]
    .sort(([one], [other]) => one - other)
    .map(([, choice], index) => renderChoice(choice, index, options))
    .join(',');
}

function interrupted(): GatewayError {
  return new GatewayError('upstream_interrupted', 'The vendor cut the answer short. Send the request again.');
}

/** Throws `upstream_interrupted` when the events stopped before `response-end`. */
export function renderCompletion(collection: Collection, options: CompletionOptions): string {
  if (!collection.ended || collection.choices.size === 0) throw interrupted();
  const choices = renderChoices(collection.choices, options);
  const extra = renderExtra(collection.extra);
  const hasSteps = collection.steps.length > 0 && options.reasoning;
  const steps = hasSteps ? `,"pailou":${JSON.stringify({ steps: collection.steps, limit: collection.limit })}` : '';
  return (
    `{"id":${JSON.stringify(options.id)},"object":"chat.completion","created":${options.created},"model":${JSON.stringify(options.model)}${extra},` +
    `"choices":[${choices}],"usage":${renderUsage(collection.usage, !options.reasoning)}${steps}}`
  );
}
