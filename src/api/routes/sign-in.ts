/** /auth: browser sign-in and sign-out for the console. Programs send tokens or keys instead. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { BrowserAuth, CommandLineAuth } from '../../auth/sign-in/browser-auth.ts';
import { safeReturn } from '../../auth/sign-in/safe-return.ts';
import type { AuditLog } from '../../storage/audit.ts';
import type { Principal } from '../../types/access.ts';
import { GatewayError } from '../../types/errors.ts';
import { personRef } from '../../types/person.ts';
import { principalOf } from '../request-context.ts';

const loginQuery = z.object({ return_to: z.string().max(2_000).optional() });
const ticketSeconds = 600;
const sessionSeconds = 12 * 3_600;

/** The path at this gateway. It may already hold the prefix, as the browser shows it. */
function belowPrefix(path: string, prefix: string): string {
  return path === prefix || path.startsWith(`${prefix}/`) ? path || '/' : prefix + path;
}

const loopbackName = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

/** True for `localhost:8000` where the public address is `127.0.0.1:8000`. */
function isOtherLoopbackName(host: string, publicUrl: string): boolean {
  const own = new URL(publicUrl);
  const isAlias = loopbackName.test(host) && loopbackName.test(own.host) && host !== own.host;
  return isAlias && URL.parse(`http://${host}`)?.port === own.port;
}

export interface SignInServices {
  readonly audit: AuditLog;
  /** True with the development identity service, where every caller can become an administrator. */
  readonly developmentIdentity: boolean;
}

/** `browserAuth` is null when no OAuth2 service for sign-in is configured. */
export function addSignIn(
  app: FastifyInstance,
  browserAuth: BrowserAuth | null,
  commandLine: CommandLineAuth | null,
  { audit, developmentIdentity }: SignInServices,
): void {
  const tags = ['access'];
  const open = { access: 'public' } as const;
  const present = (): BrowserAuth => {
    if (browserAuth !== null) return browserAuth;
    throw new GatewayError('not_found', 'Signing in with a browser is not set up here. Set PAILOU_OAUTH_CLIENT_ID and its secret.');
  };
  const book = (request: FastifyRequest, principal: Principal, act: string): void => {
    const { tenant, username } = principal;
    const actor = personRef(principal);
    audit.append({ tenant, actor, act, target: `person/${actor}`, requestId: request.id, detail: username });
  };

  app.get<{ Querystring: z.output<typeof loginQuery> }>(
    '/auth/login',
    { config: open, schema: { tags, summary: 'Sign in at the OAuth2 service, then go on to return_to', querystring: loginQuery } },
    async (request, reply) => {
      const { signIn, jar } = present();
      // The service sends the browser back to the public address, whose cookies another name of this machine does not share.
      if (isOtherLoopbackName(request.host, app.publicUrl)) {
        const query = new URLSearchParams({ return_to: safeReturn(request.query.return_to) });
        return reply.header('cache-control', 'no-store').redirect(`${app.publicUrl}/auth/login?${query.toString()}`, 303);
      }
      const { url, ticket } = await signIn.begin(safeReturn(request.query.return_to));
      return reply
        .header('set-cookie', jar.write(jar.ticket, ticket, ticketSeconds))
        .header('cache-control', 'no-store')
        .redirect(url, 303);
    },
  );

  app.get('/auth/callback', { config: open, schema: { tags, summary: 'Callback of the OAuth2 service' } }, async (request, reply) => {
    const { signIn, sessions, jar } = present();
    const ticket = jar.read(request.headers, jar.ticket);
    if (ticket === null)
      throw new GatewayError('sign_in_failed', 'This browser has no pending sign-in, or it has expired. Start again at /auth/login.');
    // The address is built from the path only: the Host header is untrusted.
    const { tokens, returnTo } = await signIn.finish(new URL(request.url, 'http://callback'), ticket);
    const { cookie, principal } = await sessions.begin(tokens);
    book(request, principal, 'signed-in');
    return reply
      .header('set-cookie', [jar.write(jar.session, cookie, sessionSeconds), jar.write(jar.ticket, '', 0)])
      .header('cache-control', 'no-store')
      .redirect(belowPrefix(returnTo, app.pathPrefix), 303);
  });

  app.get('/auth/cli', { config: open, schema: { tags, summary: 'The OAuth2 service and client of `pailou login`' } }, async () => {
    if (commandLine !== null) return commandLine;
    throw new GatewayError(
      'not_found',
      'Signing in from the command line is not set up at this gateway. Its operator can set PAILOU_OAUTH_CLI_CLIENT_ID.',
    );
  });

  app.get(
    '/auth/session',
    {
      config: { access: 'signed-in' },
      schema: { tags, summary: 'The signed-in person, and the value that writes must send as x-pailou-csrf' },
    },
    async (request, reply) => {
      const { sessions, jar } = present();
      const principal = principalOf(request);
      const cookie = jar.read(request.headers, jar.session);
      reply.header('cache-control', 'no-store');
      return {
        subject: principal.subject,
        username: principal.username,
        tenant: principal.tenant,
        roles: principal.roles,
        csrf: principal.credential === 'session' && cookie !== null ? sessions.csrfToken(cookie) : null,
        development_identity: developmentIdentity,
      };
    },
  );

  app.post(
    '/auth/logout',
    { config: { access: 'signed-in', writes: 'none' }, schema: { tags, summary: 'Sign out here and at the OAuth2 service' } },
    async (request, reply) => {
      const { sessions, jar } = present();
      const cookie = jar.read(request.headers, jar.session);
      const principal = principalOf(request);
      if (cookie === null || principal.credential !== 'session')
        throw new GatewayError('invalid_request', 'Only a session of a browser can be ended; a token ends at your OAuth2 service.');
      const goOn = await sessions.end(cookie);
      book(request, principal, 'signed-out');
      reply.header('set-cookie', jar.write(jar.session, '', 0)).header('cache-control', 'no-store');
      return { end_session_url: goOn };
    },
  );
}
