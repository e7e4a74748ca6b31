/** Contract of the gate with the application layer: one caller's view of tools, resources, prompts and skills at one address. */
import type { GatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import type { McpPeer, ServerListing, ResourceDefinition, SourceQuestion, ToolResult } from '../../../types/tool-source.ts';

export interface ViewContext {
  readonly signal: AbortSignal;
  readonly peer: McpPeer;
}

/** A skill as the protocol's Skills extension lists it: the front matter of its SKILL.md, and every file. */
export interface SkillListing {
  /** URI of its SKILL.md. */
  readonly uri: string;
  readonly frontmatter: JsonObject;
  readonly resources: readonly { readonly uri: string; readonly digest: string; readonly size: number }[];
}

/** The skills that the caller may use. Null for a skill that does not exist or is not permitted. */
export interface ViewSkills {
  list(): Promise<readonly SkillListing[]>;
  /** `uri`: that of a SKILL.md. */
  get(uri: string): Promise<SkillListing | null>;
  /** The direct children of a directory in a skill. */
  children(uri: string): Promise<readonly ResourceDefinition[] | null>;
}

/** Created for each request with the caller's current permissions. */
export interface McpView {
  /** Identifies the caller at this address. A session belongs to one holder. */
  readonly holder: string;
  /** The tenant and the address. Change notifications are sent by scope. */
  readonly scope: string;
  /** The definitions that the caller may see, under the names of this address. From memory; waits briefly for a server that was never synced. */
  offer(): Promise<ServerListing>;
  /** How to use what the caller finds here, for the handshake. Waits as `offer` does. Undefined for none. */
  instructions?(): Promise<string | undefined>;
  /** Present only at addresses that show skills. */
  readonly skills?: ViewSkills;
  /** Calls a tool by its shown name or an unambiguous bare name. Throws GatewayError for a missing or forbidden tool, SourceRefusal for an error of the server. */
  call(name: string, input: JsonObject, context: ViewContext): Promise<ToolResult>;
  /** Reads resources by URI, and prompts by the shown name or an unambiguous bare one. Throws as `call` does. */
  ask(question: SourceQuestion, params: JsonObject, context: ViewContext): Promise<JsonObject>;
  /** Calls `listener` when the resource changed. Returns the function that stops it. Throws as `ask` does. */
  watch(uri: string, listener: () => void): () => void;
  /** Called for an answer that is an error, whether or not the call had a run. Never throws. */
  readonly refused?: (error: GatewayError) => void;
}
