/** Contract of all ways to get a token for an MCP server. */
import type { ToolContext } from '../../../../types/tool-source.ts';

/** Gives the token of a caller. `refused` is a token that the server rejected. Throws GatewayError if there is none. */
export interface TokenSource {
  token(context: ToolContext | null, refused?: string): Promise<string>;
}
