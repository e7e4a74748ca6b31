/** Gives tools names that every vendor accepts (`[A-Za-z0-9_-]`, at most 64 characters), and their own names back in the answer. */
import type { ChatBody, ChatEvent, ChatRequest } from '../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { ChatFormat, EncodeTarget } from '../types/wire-format.ts';
import { vendorToolName } from './tool-names.ts';

/** Members that hold a tool's name one level below, by the type of the tool. */
const described = ['function', 'custom'];

export interface RenamedTools {
  readonly request: ChatRequest;
  /** The format with the tools' own names in its answers. */
  readonly format: ChatFormat;
}

class Renamer {
  /** The own name by the vendor's. */
  readonly own = new Map<string, string>();

  #name(name: string): string {
    const fitting = vendorToolName(name);
    if (fitting !== name) this.own.set(fitting, name);
    return fitting;
  }

  /** A tool, a call or a choice: `{ function: { name } }`, `{ custom: { name } }`. The same object when its name fits. */
  tool(given: Json): Json {
    if (!isJsonObject(given)) return given;
    let changed: JsonObject = given;
    for (const member of described) {
      const about = given[member];
      if (!isJsonObject(about) || typeof about['name'] !== 'string') continue;
      const name = this.#name(about['name']);
      if (name !== about['name']) changed = { ...changed, [member]: { ...about, name } };
    }
    return changed;
  }

  choice(given: Json): Json {
    const allowed = isJsonObject(given) ? given['allowed_tools'] : undefined;
    if (!isJsonObject(given) || !isJsonObject(allowed) || !Array.isArray(allowed['tools'])) return this.tool(given);
    return { ...given, allowed_tools: { ...allowed, tools: allowed['tools'].map((tool: Json) => this.tool(tool)) } };
  }

  message(given: JsonObject): JsonObject {
    const calls = given['tool_calls'];
    const name = given['role'] === 'tool' && typeof given['name'] === 'string' ? this.#name(given['name']) : given['name'];
    const renamed = Array.isArray(calls) ? calls.map((call: Json) => this.tool(call)) : undefined;
    const same = name === given['name'] && (renamed === undefined || renamed.every((call, index) => call === (calls as Json[])[index]));
    return same ? given : { ...given, ...(name === undefined ? {} : { name }), ...(renamed === undefined ? {} : { tool_calls: renamed }) };
  }
}

function isLong(tool: Json): boolean {
  return (
    isJsonObject(tool) &&
    described.some((member) => {
      const about = tool[member];
      return isJsonObject(about) && typeof about['name'] === 'string' && vendorToolName(about['name']) !== about['name'];
    })
  );
}

/** True when no name of the request must change. */
function allFit({ tools, messages }: ChatBody): boolean {
  if (tools?.some(isLong) === true) return false;
  return !messages.some((message) => Array.isArray(message['tool_calls']) && (message['tool_calls'] as readonly Json[]).some(isLong));
}

function restored(format: ChatFormat, own: ReadonlyMap<string, string>): ChatFormat {
  const restore = (events: ChatEvent[]): ChatEvent[] =>
    events.map((event) => (event.type === 'tool-call-start' ? { ...event, name: own.get(event.name) ?? event.name } : event));
  return {
    ...format,
    decodeResponse: (body, reading) => restore(format.decodeResponse(body, reading)),
    decoder(reading) {
      const decoder = format.decoder(reading);
      return {
        push: (bytes) => restore(decoder.push(bytes)),
        end: () => restore(decoder.end()),
        get progress() {
          return decoder.progress;
        },
      };
    },
  };
}

/** Null when every name fits. */
export function renameTools(request: ChatRequest, format: ChatFormat, target: EncodeTarget): RenamedTools | null {
  const { body } = request;
  if (allFit(body)) return null;
  const renamer = new Renamer();
  const { raw: _stale, ...rest } = request;
  const choice = body['tool_choice'];
  const renamed: ChatBody = {
    ...body,
    messages: body.messages.map((message) => renamer.message(message)),
    ...(body.tools === undefined ? {} : { tools: body.tools.map((tool) => renamer.tool(tool) as JsonObject) }),
    ...(choice === undefined ? {} : { tool_choice: renamer.choice(choice) }),
  };
  const { size } = renamer.own;
  target.warn(`${size} tool ${size === 1 ? 'name' : 'names'} changed for ${target.vendor}: at most 64 of A-Z a-z 0-9 _ -`);
  return { request: { ...rest, body: renamed }, format: restored(format, renamer.own) };
}
