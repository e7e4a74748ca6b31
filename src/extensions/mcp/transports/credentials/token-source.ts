/** What every way to a token for an MCP server has in common. */
import type { ToolContext } from '../../../../types/tool-source.ts';

/** Gives the token of a caller; `refused` is one that the server would not take. Throws GatewayError where there is none. */
export interface TokenSource {
  token(context: ToolContext | null, refused?: string): Promise<string>;
}
