/** Calls that wait for a person: kept with what the caller must not see, and found again by the ids that the caller was told. */
import type { ChatStates, StateOwner } from '../types/chat-state.ts';
import { GatewayError } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { ServerCall } from './tool-calls.ts';
import type { ServerTool } from './tool-requests.ts';
import type { RoundCall } from './tool-round.ts';

/** What the caller says to the calls that waited: id by id, true for yes. */
export type Decisions = ReadonlyMap<string, boolean>;

export interface HeldCall extends ServerCall {
  readonly id: string;
}

interface Held {
  /** All that waits together: it is decided together. */
  readonly group: readonly string[];
  readonly call: RoundCall;
  readonly capability: string;
  /** How many messages the caller had sent. */
  readonly at: number;
  /** What stands behind the caller's messages, unless it is found by the caller's own calls. */
  readonly hidden: readonly JsonObject[];
}

/** Instructions are sent anew with each request, or not. */
function lengthOf(messages: readonly JsonObject[]): number {
  return messages.filter(({ role }) => role !== 'system' && role !== 'developer').length;
}

/** Keeps calls until somebody has decided. `run` is in the ids, so that a response can be found by them. */
export async function holdCalls(
  states: ChatStates,
  owner: StateOwner,
  run: string,
  calls: readonly ServerCall[],
  own: readonly JsonObject[],
  hidden: readonly JsonObject[],
): Promise<readonly HeldCall[]> {
  const at = lengthOf(own);
  const held = calls.map((each, index) => ({ ...each, id: `apr_${run.replaceAll('-', '')}${index.toString(16).padStart(4, '0')}` }));
  const group = held.map(({ id }) => id);
  for (const { id, call, tool } of held) {
    const state: Held = { group, call, capability: tool.capability, at, hidden };
    await states.keep(owner, [id], state as unknown as JsonObject);
  }
  return held;
}

export interface Resumed {
  readonly hidden: readonly JsonObject[];
  readonly allowed: readonly HeldCall[];
  readonly refused: readonly RoundCall[];
}

/** Takes the calls that were decided, once and for all. Throws `invalid_request` naming the id that is wrong, by its place in the request. */
export async function takeHeld(
  states: ChatStates,
  owner: StateOwner,
  decisions: Decisions,
  messages: readonly JsonObject[],
  tools: readonly ServerTool[],
  places: readonly string[] = [],
): Promise<Resumed> {
  const wrong = (index: number, sentence: string): GatewayError => {
    const param = places[index] ?? `gateway.approvals[${index}].id`;
    return new GatewayError('invalid_request', `${param}: ${sentence}`, { param });
  };
  const ids = [...decisions.keys()];
  const known = (await states.read(owner, ids)) as ReadonlyMap<string, unknown> as ReadonlyMap<string, Held>;
  let hidden: readonly JsonObject[] = [];
  for (const [index, id] of ids.entries()) {
    const held = known.get(id);
    if (held === undefined)
      throw wrong(index, `nothing waits under "${id.slice(0, 60)}": it was decided already, is more than an hour old, or is not yours.`);
    const open = held.group.find((each) => !decisions.has(each));
    if (open !== undefined) throw wrong(index, `decide on ${open} as well: they wait together.`);
    if (held.at > lengthOf(messages)) throw wrong(index, 'send the conversation that it belongs to, with all its messages.');
    if (!tools.some(({ capability }) => capability === held.capability))
      throw wrong(index, `name the tool ${held.capability} in tools again.`);
    hidden = held.hidden;
  }
  const allowed: HeldCall[] = [];
  const refused: RoundCall[] = [];
  for (const [index, id] of ids.entries()) {
    // Whoever sends it twice at once runs the tool once.
    const taken = (await states.take(owner, id)) as unknown as Held | null;
    if (taken === null) throw wrong(index, `"${id.slice(0, 60)}" was decided at the same time.`);
    const tool = tools.find(({ capability }) => capability === taken.capability) as ServerTool;
    if (decisions.get(id) === true) allowed.push({ id, call: taken.call, tool });
    else refused.push(taken.call);
  }
  return { hidden, allowed, refused };
}
