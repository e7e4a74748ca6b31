/** Options that every transport to an MCP server has. */
import { z } from 'zod';

export const sessions = z
  .enum(['shared', 'user'])
  .default('shared')
  .describe(
    "shared: one session for all callers, in which the server may not ask the caller's client. user: a session for each user, in which it may.",
  );

export const protocol = z
  .enum(['legacy', 'auto', 'modern'])
  .default('legacy')
  .describe(
    'The protocol with sessions (legacy), the stateless one of 2026-07-28 (modern), or negotiated with the server (auto), at the cost of one more request.',
  );
