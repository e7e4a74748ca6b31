/** The contract behind a row of `llm_mcp_config`: a source of tools, resources and prompts, usually a connected MCP server. */
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

/** Resources, templates and prompts pass unchanged. Only their identifiers are read. */
export type ResourceDefinition = JsonObject & { readonly uri: string };
export type TemplateDefinition = JsonObject & { readonly uriTemplate: string };
export type PromptDefinition = JsonObject & { readonly name: string };

/** Everything that a source offers at one time. */
export interface ServerListing {
  readonly tools: readonly ToolDefinition[];
  readonly resources: readonly ResourceDefinition[];
  readonly templates: readonly TemplateDefinition[];
  readonly prompts: readonly PromptDefinition[];
  /** How to use the server, for a model. */
  readonly instructions?: string;
  /** Definitions that were left out, and why. For those who set up the server. */
  readonly problems?: readonly string[];
}

export const emptyServerListing: ServerListing = { tools: [], resources: [], templates: [], prompts: [] };

/**
 * The result of a tool in MCP's shape: content parts, optional structured content, optional error for the model. With `resultType:
 * 'input_required'` it is a question to the caller's client instead (only when `context.peer` was given).
 */
export interface ToolResult {
  readonly content: readonly JsonObject[];
  readonly structuredContent?: JsonObject;
  readonly isError?: boolean;
  readonly resultType?: string;
}

/** The source understood the request and refused it: a JSON-RPC error whose code and data are for the client. */
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

/** Questions of a server to a client. Version 2025-11-25: requests. Version 2026-07-28: embedded in `input_required`. */
export const peerMethods = ['elicitation/create', 'sampling/createMessage', 'roots/list'] as const;
export type PeerMethod = (typeof peerMethods)[number];

/** The caller's MCP client, as the source may use it during one request. */
export interface McpPeer {
  /** The id of the caller's connection; null in the stateless protocol. */
  readonly connection: string | null;
  /** The client's declared capabilities. */
  readonly capabilities: JsonObject;
  /** Forwards a progress report. Absent when the client did not request progress. */
  readonly progress?: (report: JsonObject) => void;
  /** The minimum log level that the client requests. Absent: unspecified. */
  readonly logLevel?: string;
  /** Forwards a log message. */
  log(message: JsonObject): void;
  /** Sends a question to the client during the request. Absent when its protocol has no way to. */
  readonly ask?: (method: PeerMethod, params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;
  /** The client's answers to an earlier `input_required`, with its state. */
  readonly inputResponses?: JsonObject;
  readonly requestState?: string;
}

/** The caller and the time limit of a request. */
export interface ToolContext {
  readonly signal: AbortSignal;
  readonly principal: Principal;
  readonly runId: string;
  /** The header of Trace Context for requests of this run. */
  readonly traceparent?: string | undefined;
  /** The caller's own token, only for an exchange at an OAuth2 service. Null for a caller without a token. */
  readonly subjectToken?: () => string | null;
  /** Absent when there is no client to ask, as in a chat. */
  readonly peer?: McpPeer;
}

/** Requests to a source beside tool calls. The answer passes unchanged. */
export type SourceQuestion = 'resources/read' | 'prompts/get' | 'completion/complete';

/** One live connection to a source, for the control API. */
export interface SourceConnection {
  /** The person whose own connection it is (`personRef`); null for the shared one. */
  readonly person: string | null;
  readonly state: 'connecting' | 'connected';
  /** The protocol version after the handshake; null before. */
  readonly protocol: string | null;
  /** The process id of a local program. */
  readonly pid: number | null;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly callsUnderWay: number;
}

/** Connects on first use and reconnects after a loss. Never receives the caller's token. */
export interface ToolSource extends AsyncDisposable {
  /** Lists the source. Throws `tool_failed` when it cannot be reached. */
  list(signal: AbortSignal): Promise<ServerListing>;
  /** For a source that only users' own connections can reach: connects as this caller so that it can be listed. Throws as `call` does. */
  meet?(this: void, context: ToolContext): Promise<void>;
  /** Calls a tool by the source's own name. A failure of the tool is a result with `isError`. Throws SourceRefusal for a refused call and `tool_failed` for a lost source. */
  call(tool: string, input: JsonObject, context: ToolContext): Promise<ToolResult>;
  /** Reads a resource, gets a prompt or completes an argument. Throws SourceRefusal or `tool_failed`. */
  ask?(question: SourceQuestion, params: JsonObject, context: ToolContext): Promise<JsonObject>;
  /** Calls back when the source reports a changed listing. Returns a function that stops it. */
  onChange(listener: () => void): () => void;
  /** Calls back when the source reports new content of this resource. Returns a function that stops it. */
  watch?(uri: string, listener: () => void): () => void;
  /** The caller's client behind this `McpPeer.connection` has disconnected. */
  leave?(connection: string): void;
  connections?(): readonly SourceConnection[];
  /** Manages people's own accounts at the server. */
  readonly accounts?: PersonalAccounts;
}
