/** A chat whose model keeps answers: what was answered before is given again, and what is answered now is kept. */
import type { AnswerPlace } from '../../cache/answer-cache.ts';
import { askedOf } from '../../cache/answer-key.ts';
import { AnswerCollector } from '../../cache/answer-collector.ts';
import { isCacheable } from '../../cache/cacheable.ts';
import { rememberReasoning } from '../../models/reasoning-memory.ts';
import { personKey } from '../../types/access.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { endRunWithError } from './recorded-run.ts';
import type { Caller } from '../caller.ts';
import type { ParsedCall } from '../chat/chat-body.ts';
import { invokeModel, type ModelCall, openRun } from './invoke-model.ts';
import { admitCachedAnswer, findCachedAnswer, isOwnAnswer } from './cached-answer.ts';
import type { CallServices } from '../services.ts';

type Events = readonly ChatEvent[];

/** So many events are written at once when they are given again. */
const batchSize = 16;

/** Books the run as answered from here, and as left where the caller leaves. */
async function* replayed(run: Run, events: Events): AsyncGenerator<Events> {
  let ended = false;
  try {
    run.firstToken();
    for (let at = 0; at < events.length; at += batchSize) yield events.slice(at, at + batchSize);
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
  const gathered = new AnswerCollector(place.maxBytes);
  for await (const batch of events) {
    gathered.add(batch);
    yield batch;
  }
  const whole = gathered.complete(choices);
  if (whole !== null) place.keep(whole, warnings);
}

/** As `invokeModel`, for a call of a caller: never for one that a skill or a tool loop makes, which acts on the world between its steps. */
export async function cachedChat(services: CallServices, caller: Caller, model: ModelEntry, chat: ParsedCall): Promise<ModelCall> {
  const { request, stream } = chat;
  const place = isCacheable(request)
    ? services.answers.place<Events>(model, caller.principal, {
        operation: 'chat',
        asked: askedOf(request),
        cacheControl: caller.cacheControl,
      })
    : null;
  if (place === null) return invokeModel(services, caller, model, request, { stream });
  const kept = await findCachedAnswer(caller, place);
  if (kept !== null) {
    const run = openRun(services, caller, null, `model/${model.name}`, 'chat', stream);
    try {
      await admitCachedAnswer(services, caller, run, model, kept);
    } catch (thrown) {
      endRunWithError(run, thrown);
      throw thrown;
    }
    // Whoever gets the answer again goes on from it, and may not have been the first who got it.
    const events = rememberReasoning(personKey(caller.principal), replayed(run, kept.value));
    return { run, deployment: 'cache', attempts: 0, warnings: kept.warnings, events };
  }
  // What was compared is what is asked: the caller's own bytes may hold a member twice, of which a vendor could read the other one.
  const { raw: _bytes, ...compared } = request;
  const call = await invokeModel(services, caller, model, compared, { stream });
  if (!isOwnAnswer(model, call.deployment)) return call;
  const { n } = request.body;
  return { ...call, events: keeping(call.events, place, typeof n === 'number' ? n : 1, call.warnings) };
}
