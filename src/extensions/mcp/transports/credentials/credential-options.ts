/** How Pailou authenticates to an MCP server. The caller's own token is never sent. */
import { z } from 'zod';
import { headerSecret, secret } from '../../../../types/secret.ts';
import type { PluginReach } from '../../../../types/writes.ts';

const address = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address such as https://sso.internal/oauth2/token' })
  .max(2_000);

const client = {
  token_url: address.describe('The token endpoint of the OAuth2 service that the MCP server trusts.'),
  client_id: z.string().min(1).max(500),
  client_secret: secret(),
  client_auth: z.enum(['basic', 'post']).default('basic').describe('How the client secret is sent: in a header, or in the form.'),
  scope: z.string().min(1).max(2_000).optional(),
  audience: z.string().min(1).max(2_000).optional(),
  resource: z.url().max(2_000).optional().describe('The MCP server as the OAuth2 service knows it (RFC 8707).'),
};

export const headers = z
  .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'letters, digits and -'), headerSecret())
  .default({})
  .describe("Sent with each request, e.g. the server's own Authorization. The caller's token never is.");

export const credentials = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('none') }),
    z.strictObject({ type: z.literal('client_credentials'), ...client }).describe("Pailou's own account at the server, for all callers."),
    z
      .strictObject({
        type: z.literal('token_exchange'),
        ...client,
        requested_token_type: z.string().min(1).max(200).default('urn:ietf:params:oauth:token-type:access_token'),
      })
      .describe("Each caller's token is exchanged (RFC 8693) for one that is valid only at the server; needs sessions: user."),
    z
      .strictObject({
        type: z.literal('user_oauth'),
        client_id: z.string().min(1).max(500).optional().describe('Left out: Pailou registers itself (RFC 7591).'),
        client_secret: secret().optional(),
        scope: client.scope,
      })
      .describe(
        "Each person's own account at the server, connected once in a browser (OAuth 2.1 as MCP has it, found by the server's metadata); needs sessions: user.",
      ),
  ])
  .default({ type: 'none' })
  .describe('How Pailou gets a token for the server, beside fixed headers.');

export type Credentials = z.output<typeof credentials>;

/** True if each user has a token of their own. */
export function isPersonal({ type }: Credentials): boolean {
  return type === 'token_exchange' || type === 'user_oauth';
}

/** Rights that the credentials need. Tokens of single users let the server act as them, so only an administrator may configure that. */
export function reachesOfCredentials(type: Credentials['type']): readonly PluginReach[] {
  return type === 'token_exchange' || type === 'user_oauth' ? ['caller-identity'] : [];
}

/** For `superRefine` of options that have both. Personal tokens in a shared session would act as the wrong user. */
export function refusePersonalInShared(options: { credentials: Credentials; sessions: 'shared' | 'user' }, context: z.RefinementCtx): void {
  if (!isPersonal(options.credentials) || options.sessions === 'user') return;
  context.addIssue({ code: 'custom', path: ['sessions'], message: `must be user with credentials of type ${options.credentials.type}` });
}
