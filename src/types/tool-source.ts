/** A source of tools: one connected MCP server. */
import type { Principal } from './access.ts';
import type { JsonObject } from './json.ts';

export interface ToolDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: JsonObject;
}

/** What a tool answered, in MCP's shape: content parts, maybe structured content, maybe an error that the model should read. */
export interface ToolResult {
  readonly content: readonly JsonObject[];
  readonly structuredContent?: JsonObject;
  readonly isError?: boolean;
}

export interface ToolContext {
  readonly signal: AbortSignal;
  readonly principal: Principal;
  readonly runId: string;
}

/** Connects when first used, reconnects after a loss. The caller's token never reaches it. */
export interface ToolSource extends AsyncDisposable {
  /** Asks the server. Throws GatewayError `tool_failed` when it cannot be reached. */
  list(signal: AbortSignal): Promise<readonly ToolDefinition[]>;
  /** Calls a tool by the server's own name. A tool's own failure is a result with `isError`; a lost server throws `tool_failed`. */
  call(tool: string, input: JsonObject, context: ToolContext): Promise<ToolResult>;
  /** Calls back when the server says that its tools changed. Returns the way to stop. */
  onChange(listener: () => void): () => void;
}
