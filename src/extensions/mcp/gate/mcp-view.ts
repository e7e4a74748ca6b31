/** What the gate needs of the house: one caller's view of everything, at one address. */
import type { JsonObject } from '../../../types/json.ts';
import type { McpPeer, ServerListing, ResourceDefinition, SourceQuestion, ToolResult } from '../../../types/tool-source.ts';

export interface ViewContext {
  readonly signal: AbortSignal;
  readonly peer: McpPeer;
}

/** A skill as the protocol's Skills extension lists it: the head of its SKILL.md as it stands there, and every file. */
export interface SkillListing {
  /** Of its SKILL.md. */
  readonly uri: string;
  readonly frontmatter: JsonObject;
  readonly resources: readonly { readonly uri: string; readonly digest: string; readonly size: number }[];
}

/** The skills that the caller may use. Null for what is not there, or not for the caller. */
export interface ViewSkills {
  list(): Promise<readonly SkillListing[]>;
  /** `uri`: of a SKILL.md. */
  get(uri: string): Promise<SkillListing | null>;
  /** What lies directly in a directory of a skill. */
  children(uri: string): Promise<readonly ResourceDefinition[] | null>;
}

/** Made anew for each request, with the caller's rights as they are now. */
export interface McpView {
  /** Whose sessions this caller may go on with: the same for the same person at the same address. */
  readonly holder: string;
  /** Whom a change concerns: the tenant and the address. */
  readonly scope: string;
  /** What the caller may see, under the names that this address shows. From memory; only a server that was never asked is waited for, a little. */
  offer(): Promise<ServerListing>;
  /** Only at an address that shows skills at all. */
  readonly skills?: ViewSkills;
  /** `name` as shown, or an unambiguous bare name. Throws GatewayError for a tool that is not there or not allowed, SourceRefusal for one that refuses. */
  call(name: string, input: JsonObject, context: ViewContext): Promise<ToolResult>;
  /** Resources by their URI, prompts by the shown name or an unambiguous bare one. Throws as `call` does. */
  ask(question: SourceQuestion, params: JsonObject, context: ViewContext): Promise<JsonObject>;
  /** Calls back when the resource has new content. Returns the way to stop. Throws as `ask` does. */
  watch(uri: string, listener: () => void): () => void;
}
