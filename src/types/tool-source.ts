/** What stands behind a row of `llm_mcp_config`: a source of tools, resources and prompts, most often a connected MCP server. */
import type { Principal } from './access.ts';
import type { PersonalAccounts } from './accounts.ts';
import type { JsonObject } from './json.ts';

export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: JsonObject;
}

/** Resources, templates and prompts pass on as they came; only what they are called by is looked at. */
export type ResourceDefinition = JsonObject & { readonly uri: string };
export type TemplateDefinition = JsonObject & { readonly uriTemplate: string };
export type PromptDefinition = JsonObject & { readonly name: string };

/** All that a source offers at one moment. */
export interface ServerListing {
  readonly tools: readonly ToolDefinition[];
  readonly resources: readonly ResourceDefinition[];
  readonly templates: readonly TemplateDefinition[];
  readonly prompts: readonly PromptDefinition[];
}

export const emptyServerListing: ServerListing = { tools: [], resources: [], templates: [], prompts: [] };

/**
 * What a tool answered, in MCP's shape: content parts, maybe structured content, maybe an error that the model should read.
 * With `resultType: 'input_required'` it is no answer yet but a question to the caller's client (only if `context.peer` was given).
 */
export interface ToolResult {
  readonly content: readonly JsonObject[];
  readonly structuredContent?: JsonObject;
  readonly isError?: boolean;
  readonly resultType?: string;
}

/** The source understood the request and refused it: a JSON-RPC error, whose code and data a client may understand. */
export class SourceRefusal extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(message: string, code: number, data: unknown) {
    super(message);
    this.name = 'SourceRefusal';
    this.code = code;
    this.data = data;
  }
}

/** Questions that a server may put to a client (2025-11-25: requests; 2026-07-28: embedded in `input_required`). */
export const peerMethods = ['elicitation/create', 'sampling/createMessage', 'roots/list'] as const;
export type PeerMethod = (typeof peerMethods)[number];

/** The caller's MCP client, as far as the source may speak with it during one request. */
export interface McpPeer {
  /** Which connection of the caller this is; null in the stateless protocol. */
  readonly connection: string | null;
  /** What the client said that it can do. */
  readonly capabilities: JsonObject;
  /** Passes a progress report on; left out if the client did not ask for any. */
  readonly progress?: (report: JsonObject) => void;
  /** The least severe log messages that the client wants; left out for none in particular. */
  readonly logLevel?: string;
  /** Passes a log message on. */
  log(message: JsonObject): void;
  /** Puts a question to the client while the request is under way; left out where its protocol has no way to. */
  readonly ask?: (method: PeerMethod, params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;
  /** The client's answers to an earlier `input_required`, with the state that came with it. */
  readonly inputResponses?: JsonObject;
  readonly requestState?: string;
}

/** Who asks, and for how long. */
export interface ToolContext {
  readonly signal: AbortSignal;
  readonly principal: Principal;
  readonly runId: string;
  /** The caller's own token, for an exchange at an OAuth2 service and nothing else; null for who came without one. */
  readonly subjectToken?: () => string | null;
  /** Left out where nobody could be asked, as in a chat. */
  readonly peer?: McpPeer;
}

/** What a source may be asked beside its tools. The answer passes on as it came. */
export type SourceQuestion = 'resources/read' | 'prompts/get' | 'completion/complete';

/** One live connection to a source, for the control API. */
export interface SourceConnection {
  /** Whose own it is (`personRef`); null for the one that all share. */
  readonly person: string | null;
  readonly state: 'connecting' | 'connected';
  /** The protocol revision, once agreed. */
  readonly protocol: string | null;
  /** The process id of a program on this machine. */
  readonly pid: number | null;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly callsUnderWay: number;
}

/** Connects when first used, reconnects after a loss. The caller's token never reaches it. */
export interface ToolSource extends AsyncDisposable {
  /** Asks the source. Throws GatewayError `tool_failed` when it cannot be reached. */
  list(signal: AbortSignal): Promise<ServerListing>;
  /**
   * Where only a user's own connection has credentials: connects in this caller's name, so that the source can be listed at all.
   * Throws as `call` does.
   */
  meet?(this: void, context: ToolContext): Promise<void>;
  /** Calls a tool by the source's own name. A tool's own failure is a result with `isError`; a refusal of the call throws SourceRefusal, a lost source `tool_failed`. */
  call(tool: string, input: JsonObject, context: ToolContext): Promise<ToolResult>;
  /** Reads a resource, gets a prompt, completes an argument. Throws SourceRefusal or `tool_failed`. */
  ask?(question: SourceQuestion, params: JsonObject, context: ToolContext): Promise<JsonObject>;
  /** Calls back when the source says that its offer changed. Returns the way to stop. */
  onChange(listener: () => void): () => void;
  /** Calls back when the source says that this resource has new content. Returns the way to stop. */
  watch?(uri: string, listener: () => void): () => void;
  /** The caller's client behind this `McpPeer.connection` has gone. */
  leave?(connection: string): void;
  connections?(): readonly SourceConnection[];
  /** Where people connect accounts of their own at the server. */
  readonly accounts?: PersonalAccounts;
}
