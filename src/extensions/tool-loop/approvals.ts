/**
 * Calls that wait for a person: kept with what the caller must not see, found again by the ids that the caller was told, decided together and once.
 * What they came to is kept too, so that the same decisions, sent again, go on from there: no tool runs twice, and none in vain.
 */
import type { ChatStates, StateOwner } from '../../types/chat-state.ts';
import { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { ServerCall } from './calls.ts';
import type { ServerTool } from './requests.ts';
import type { RoundCall } from './round.ts';

/** What the caller says to the calls that waited: id by id, true for yes. */
export type Decisions = ReadonlyMap<string, boolean>;

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
  /** How many messages the caller had sent. */
  readonly at: number;
  /** What stands behind the caller's messages, unless it is found by the caller's own calls. */
  readonly hidden: readonly JsonObject[];
  /** Once they were decided: how, and what the model reads of it. */
  readonly done?: { readonly yes: readonly string[]; readonly messages: readonly JsonObject[] };
}

const asState = (group: Group): JsonObject => group as unknown as JsonObject;
const asGroup = (state: JsonObject): Group => state as unknown as Group;

/** Instructions are sent anew with each request, or not. */
function lengthOf(messages: readonly JsonObject[]): number {
  return messages.filter(({ role }) => role !== 'system' && role !== 'developer').length;
}

const groupOf = (run: string): string => `apg_${run}`;

/** Keeps calls until somebody has decided. `run` is in the ids, so that a response can be found by them. */
export async function holdCalls(
  states: ChatStates,
  owner: StateOwner,
  run: string,
  calls: readonly ServerCall[],
  own: readonly JsonObject[],
  hidden: readonly JsonObject[],
): Promise<readonly HeldCall[]> {
  if (calls.length === 0) return [];
  const held = calls.map((each, index) => ({ ...each, id: `apr_${run.replaceAll('-', '')}${index.toString(16).padStart(4, '0')}` }));
  const waiting = held.map(({ id, call, tool }) => ({ id, call, capability: tool.capability }));
  const group = groupOf(run);
  await states.keep(owner, [group], asState({ calls: waiting, at: lengthOf(own), hidden }));
  await states.keep(
    owner,
    held.map(({ id }) => id),
    { group },
  );
  return held;
}

/** What the calls that waited in these answers came to, as far as they were decided. */
export async function decidedMessages(
  states: ChatStates,
  owner: StateOwner,
  runs: readonly string[],
): Promise<ReadonlyMap<string, readonly JsonObject[]>> {
  if (runs.length === 0) return new Map();
  const groups = await states.read(owner, runs.map(groupOf));
  return new Map(
    runs.flatMap((run): [string, readonly JsonObject[]][] => {
      const state = groups.get(groupOf(run));
      const { done } = state === undefined ? {} : asGroup(state);
      return done === undefined ? [] : [[run, done.messages]];
    }),
  );
}

export interface Decided {
  readonly hidden: readonly JsonObject[];
  /** What the model reads of the calls, where an earlier request has carried them out already; then there is nothing to do. */
  readonly messages: readonly JsonObject[] | null;
  readonly allowed: readonly HeldCall[];
  readonly refused: readonly RoundCall[];
  /** Has to be told what the calls came to, also where that is not known. */
  keep(messages: readonly JsonObject[]): Promise<void>;
}

/** Takes the calls that were decided, for this request alone. Throws `invalid_request` naming the id that is wrong, by its place in the request. */
export async function takeHeld(
  states: ChatStates,
  owner: StateOwner,
  decisions: Decisions,
  messages: readonly JsonObject[],
  tools: readonly ServerTool[],
  places: readonly string[] = [],
): Promise<Decided> {
  const wrong = (index: number, sentence: string): GatewayError => {
    const param = places[index] ?? `gateway.approvals[${index}].id`;
    return new GatewayError('invalid_request', `${param}: ${sentence}`, { param });
  };
  const ids = [...decisions.keys()];
  const known = await states.read(owner, ids);
  const groups = ids.map((id, index) => {
    const group = known.get(id)?.['group'];
    if (typeof group === 'string') return group;
    throw wrong(index, `nothing waits under "${id.slice(0, 60)}": it is more than an hour old, or is not yours.`);
  });
  const [key = ''] = groups;
  const other = groups.findIndex((group) => group !== key);
  if (other !== -1) throw wrong(other, 'belongs to another answer than the first; decide on one answer at a time.');
  const state = (await states.read(owner, [key])).get(key);
  if (state === undefined) throw wrong(0, 'is being carried out at this moment; ask again when that answer is there.');
  const group = asGroup(state);
  const open = group.calls.find(({ id }) => !decisions.has(id));
  if (open !== undefined) throw wrong(0, `decide on ${open.id} as well: they wait together.`);
  if (group.at > lengthOf(messages)) throw wrong(0, 'send the conversation that it belongs to, with all its messages.');
  if (group.done !== undefined) {
    const changed = group.calls.find(({ id }) => decisions.get(id) !== group.done?.yes.includes(id));
    if (changed !== undefined) throw wrong(ids.indexOf(changed.id), 'was decided otherwise already.');
    return { hidden: group.hidden, messages: group.done.messages, allowed: [], refused: [], keep: () => Promise.resolve() };
  }
  const toolOf = ({ capability }: Waiting): ServerTool | undefined => tools.find((tool) => tool.capability === capability);
  const missing = group.calls.find((waiting) => toolOf(waiting) === undefined);
  if (missing !== undefined) throw wrong(ids.indexOf(missing.id), `name the tool ${missing.capability} in tools again.`);
  // Of several who send it at once one carries it out, all of it.
  if ((await states.take(owner, key)) === null) throw wrong(0, 'is being carried out at this moment; ask again when that answer is there.');
  const isAllowed = ({ id }: Waiting): boolean => decisions.get(id) === true;
  const yes = group.calls.filter(isAllowed);
  return {
    hidden: group.hidden,
    messages: null,
    allowed: yes.map((waiting) => ({ id: waiting.id, call: waiting.call, tool: toolOf(waiting) as ServerTool })),
    refused: group.calls.filter((waiting) => !isAllowed(waiting)).map(({ call }) => call),
    keep: (came) => states.keep(owner, [key], asState({ ...group, done: { yes: yes.map(({ id }) => id), messages: came } })),
  };
}
