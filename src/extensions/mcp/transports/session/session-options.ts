/** Options that every transport to an MCP server has. */
import { z } from 'zod';

export const sessions = z
  .enum(['shared', 'user'])
  .default('shared')
  .describe(
    "shared: one session for everybody; the server may put no questions to anybody's client. user: a session for each user, in which it may.",
  );

export const protocol = z
  .enum(['legacy', 'auto', 'modern'])
  .default('legacy')
  .describe(
    'The protocol with sessions (legacy), the stateless one of 2026-07-28 (modern), or auto: the server is asked, which takes a moment more.',
  );
