/**
 * Calls that wait for a person: kept with what the caller must not see, found again by the ids that the caller was told, decided together and once.
 * What they came to is kept too, so that the same decisions, sent again, go on from there: no tool runs twice, and none in vain.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { decidedId, questionId } from '../../models/faces/told-calls.ts';
import type { ChatStates, StateOwner } from '../../types/chat-state.ts';
import type { Decision } from '../../types/decision.ts';
import { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import { type ServerCall, toolMessage } from './calls.ts';
import type { ServerTool } from './requests.ts';
import type { RoundCall } from './round.ts';

export interface HeldCall extends ServerCall {
  readonly id: string;
}

interface Waiting {
  readonly id: string;
  readonly call: RoundCall;
  readonly capability: string;
}

/** All that waits together. */
interface Group {
  readonly calls: readonly Waiting[];
  /** How many messages were the caller's own words and results. */
  readonly at: number;
  /** What stands behind them; nothing for calls that wait beside the caller's own, with which they are found. */
  readonly hidden: readonly JsonObject[];
  /** So many of them are in `hidden` too. */
  readonly swallowed: number;
  /** Ids of the calls that were decided before, whose results are in `hidden`. */
  readonly covers: readonly string[];
  /** Since when a request carries it out, and which calls. */
  readonly taken?: { readonly at: number; readonly yes: readonly string[] };
  /** Once they were decided: how, what the model reads of it, and which of those that were allowed failed, by their places. */
  readonly done?: { readonly yes: readonly string[]; readonly messages: readonly JsonObject[]; readonly errors?: CallErrors };
}
/** Null for a call that succeeded. */
export type CallErrors = readonly (string | null)[];

const asState = (group: Group): JsonObject => group as unknown as JsonObject;
const asGroup = (state: JsonObject): Group => state as unknown as Group;

const groupOf = (run: string): string => `apg_${run}`;
/** A call that takes longer has lost whoever made it. */
const mostMs = 10 * 60_000;

export const unknownEnd = 'The call was interrupted; it is not known whether it took effect.';
export const interrupted = 'interrupted';
const refusal = 'The person did not allow this call.';

/** Keeps calls until somebody has decided. `run` is in the ids, so that a response can be found by them. */
export async function holdCalls(
  states: ChatStates,
  owner: StateOwner,
  run: string,
  calls: readonly ServerCall[],
  place: Pick<Group, 'at' | 'hidden' | 'swallowed' | 'covers'>,
): Promise<readonly HeldCall[]> {
  if (calls.length === 0) return [];
  const held = calls.map((each, index) => ({ ...each, id: questionId(run, index) }));
  const waiting = held.map(({ id, call, tool }) => ({ id, call, capability: tool.capability }));
  const group = groupOf(run);
  await states.keep(owner, [group], asState({ calls: waiting, ...place }));
  await states.keep(
    owner,
    held.map(({ id }) => id),
    { group },
  );
  return held;
}

/** What calls that waited came to. */
export interface Outcome {
  readonly messages: readonly JsonObject[];
  /** The ids under which faces tell these calls. */
  readonly covers: readonly string[];
}

const idsIn = ({ calls }: Group): string[] => calls.map(({ id }) => decidedId(id));

/** Of the answers of these runs, as far as their calls were decided. */
export async function outcomes(states: ChatStates, owner: StateOwner, runs: readonly string[]): Promise<ReadonlyMap<string, Outcome>> {
  if (runs.length === 0) return new Map();
  const groups = await states.read(owner, runs.map(groupOf));
  return new Map(
    runs.flatMap((run): [string, Outcome][] => {
      const state = groups.get(groupOf(run));
      const done = state === undefined ? undefined : endOf(asGroup(state));
      return state === undefined || done === undefined ? [] : [[run, { messages: done.messages, covers: idsIn(asGroup(state)) }]];
    }),
  );
}

/** What calls came to; undefined for those that nobody has decided yet, or that are under way. */
function endOf({ calls, taken, done }: Group): Group['done'] {
  if (done !== undefined || taken === undefined || Date.now() - taken.at < mostMs) return done;
  const messages = calls.map(({ id, call }) => toolMessage(call, taken.yes.includes(id) ? unknownEnd : refusal));
  return { yes: taken.yes, messages, errors: taken.yes.map(() => interrupted) };
}

/** Calls that a person has decided on, all that waited together. */
export interface Decided extends Pick<Group, 'at' | 'hidden' | 'swallowed'> {
  /** The run that asked. */
  readonly run: string;
  /** The ids under which faces tell of calls whose results are in `hidden` or are yet to come. */
  readonly covers: readonly string[];
  readonly allowed: readonly HeldCall[];
  readonly refused: readonly JsonObject[];
  /** What the model reads of them, where an earlier request has carried them out already; then there is nothing to do. */
  readonly messages: readonly JsonObject[] | null;
  /** Of the allowed ones, as far as they were carried out. */
  readonly errors: CallErrors;
  /** Whoever takes them carries them out, alone. Throws where somebody else was faster. */
  take(): Promise<void>;
  /** Has to be told what the calls came to, also where that is not known. */
  keep(messages: readonly JsonObject[], errors: CallErrors): Promise<void>;
}

const pauses = [100, 500, 2_000];

/** A tool has run: what it came to is worth another try. */
async function keepSurely(keep: () => Promise<void>): Promise<void> {
  for (const pause of pauses) {
    try {
      return await keep();
    } catch {
      await sleep(pause);
    }
  }
  return keep();
}

/** What is wrong with a decision, by its place in the request. */
export function wrongDecision({ place }: Decision, sentence: string): GatewayError {
  return new GatewayError('invalid_request', `${place}: ${sentence}`, { param: place });
}

/** The calls that were decided. Throws `invalid_request` naming the decision that is wrong. */
export async function findHeld(
  states: ChatStates,
  owner: StateOwner,
  decisions: readonly [Decision, ...Decision[]],
  tools: readonly ServerTool[],
): Promise<Decided> {
  const [first] = decisions;
  const known = await states.read(
    owner,
    decisions.map(({ id }) => id),
  );
  const groupKeyOf = (decision: Decision): string => {
    const key = known.get(decision.id)?.['group'];
    if (typeof key === 'string') return key;
    const id = decision.id.slice(0, 60);
    throw wrongDecision(decision, `nothing waits under "${id}": the id is wrong, more than an hour old, or not yours.`);
  };
  const keys = decisions.map(groupKeyOf);
  const [key = ''] = keys;
  const other = decisions.find((_, index) => keys[index] !== key);
  if (other !== undefined) throw wrongDecision(other, 'belongs to another answer than the first; decide on one answer at a time.');
  const underWay = (): GatewayError => wrongDecision(first, 'is being carried out at this moment; ask again when that answer is there.');
  const state = (await states.read(owner, [key])).get(key);
  if (state === undefined) throw underWay();
  const group = asGroup(state);
  const byId = new Map(decisions.map((decision) => [decision.id, decision]));
  const decisionOn = ({ id }: Waiting): Decision => byId.get(id) ?? first;
  const open = group.calls.find(({ id }) => !byId.has(id));
  if (open !== undefined) throw wrongDecision(first, `decide on ${open.id} as well: they wait together.`);
  const done = endOf(group);
  if (group.taken !== undefined && done === undefined) throw underWay();
  const changed = done === undefined ? undefined : group.calls.map(decisionOn).find(({ id, approve }) => approve !== done.yes.includes(id));
  if (changed !== undefined)
    throw wrongDecision(changed, `was ${changed.approve ? 'refused' : 'allowed'} already, which nothing can change.`);
  const toolOf = ({ capability }: Waiting): ServerTool | undefined => tools.find((tool) => tool.capability === capability);
  const missing = group.calls.find((waiting) => toolOf(waiting) === undefined);
  if (missing !== undefined) throw wrongDecision(decisionOn(missing), `name the tool ${missing.capability} in tools again.`);
  const yes = group.calls.filter((call) => decisionOn(call).approve);
  const no = group.calls.filter((call) => !decisionOn(call).approve);
  const yesIds = yes.map(({ id }) => id);
  return {
    run: key.slice(groupOf('').length),
    at: group.at,
    hidden: group.hidden,
    swallowed: group.swallowed,
    covers: [...group.covers, ...idsIn(group)],
    allowed: yes.map((waiting) => ({ id: waiting.id, call: waiting.call, tool: toolOf(waiting) as ServerTool })),
    refused: no.map(({ call }) => toolMessage(call, refusal)),
    messages: done?.messages ?? null,
    errors: done?.errors ?? [],
    async take() {
      // Of several who send it at once one carries it out, all of it.
      if ((await states.take(owner, key)) === null) throw underWay();
      await keepSurely(() => states.keep(owner, [key], asState({ ...group, taken: { at: Date.now(), yes: yesIds } })));
    },
    keep: (messages, errors) => keepSurely(() => states.keep(owner, [key], asState({ ...group, done: { yes: yesIds, messages, errors } }))),
  };
}
