/** A chat whose model keeps answers: what was answered before is given again, and what is answered now is kept. */
import { askedOf } from '../../cache/answer-key.ts';
import type { AnswerPlace, KeptAnswer } from '../../cache/answer-cache.ts';
import { GatheredAnswer } from '../../cache/gathered-answer.ts';
import { isRepeatable } from '../../cache/repeatable.ts';
import { rememberThoughts, thoughtScope } from '../../models/thoughts.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { endFailed } from './booked.ts';
import { callContext } from './call-context.ts';
import type { Caller } from './caller.ts';
import type { ParsedCall } from './chat-body.ts';
import { invokeModel, type ModelCall, openRun } from './invoke-model.ts';
import type { CallServices } from './services.ts';

type Events = readonly ChatEvent[];

/** Books the run as answered from here, and as left where the caller leaves. */
async function* replayed(run: Run, events: Events): AsyncGenerator<Events> {
  let ended = false;
  try {
    run.firstToken();
    for (const event of events) yield [event];
    ended = true;
    run.end('complete');
  } finally {
    if (!ended) run.end('aborted', 'client_closed_request');
  }
}

/** Keeps the answer if it comes to its proper end. */
async function* keeping(
  events: ChatEvents,
  place: AnswerPlace<Events>,
  choices: number,
  warnings: readonly string[],
): AsyncGenerator<Events> {
  const gathered = new GatheredAnswer(place.maxBytes);
  for await (const batch of events) {
    gathered.add(batch);
    yield batch;
  }
  const whole = gathered.complete(choices);
  if (whole !== null) place.keep(whole, warnings);
}

/** Admits a call that nobody will be asked for: it counts as a request and uses nothing. Tells the caller how old the answer is. */
export async function admitKept(
  services: CallServices,
  caller: Caller,
  run: Run,
  model: ModelEntry,
  kept: KeptAnswer<unknown>,
): Promise<void> {
  const context = callContext(services, caller, run, { stream: false, size: () => ({ inputTokens: 0, outputTokens: 0 }) });
  await context.admit(model);
  run.answeredFromCache();
  const age = Math.max(0, Math.floor((Date.now() - kept.keptAt) / 1_000));
  caller.tell({ 'x-pailou-cache': 'hit', age: String(age) });
}

/** True if the model itself answered: what a fallback said is not what the next caller should get. */
export function isOwnAnswer(model: ModelEntry, deployment: string): boolean {
  return model.deployments.some(({ id }) => id === deployment);
}

/** As `invokeModel`, for a call of a caller: never for one that a skill or a tool loop makes, which acts on the world between its steps. */
export async function cachedChat(
  services: CallServices,
  caller: Caller,
  model: ModelEntry,
  { request, stream }: ParsedCall,
): Promise<ModelCall> {
  const place =
    model.spec.cache === undefined || !isRepeatable(request)
      ? null
      : services.answers.place<Events>(model, caller.principal, {
          operation: 'chat',
          asked: askedOf(request),
          cacheControl: caller.cacheControl,
        });
  if (place === null) return invokeModel(services, caller, model, request, { stream });
  const kept = await place.find();
  if (kept !== null) {
    const run = openRun(services, caller, null, `model/${model.name}`, 'chat', stream);
    try {
      await admitKept(services, caller, run, model, kept);
    } catch (thrown) {
      endFailed(run, thrown);
      throw thrown;
    }
    const events = rememberThoughts(thoughtScope(caller.principal), replayed(run, kept.value));
    return { run, deployment: 'cache', attempts: 0, warnings: kept.warnings, events };
  }
  caller.tell({ 'x-pailou-cache': 'miss' });
  const call = await invokeModel(services, caller, model, request, { stream });
  if (!isOwnAnswer(model, call.deployment)) return call;
  const { n } = request.body;
  return { ...call, events: keeping(call.events, place, typeof n === 'number' ? n : 1, call.warnings) };
}
