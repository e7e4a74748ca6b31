/** /console/: the built web console. Its page is asked for anew each time; its hashed files are cached for ever. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Brand, Logo } from '../../config/brand.ts';
import { escapeHtml } from '../../text/escape-html.ts';
import { GatewayError } from '../../types/errors.ts';

/** Beside `src` in a checkout, beside the compiled `src` in the package. */
const builtConsole = fileURLToPath(new URL('../../../console/dist/', import.meta.url));

/** No `upgrade-insecure-requests`: it breaks a gateway without https in a private network. */
const contentPolicy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Built files lie in one folder, so no path leads out of it. */
const builtFile = /^(?:assets\/)?[\w-][\w.-]*$/;
const sessionCookie = /(?:^|;\s*)(?:__Host-|__Secure-)?pailou=/;
/** Without a slash at the end, which is left out. */
const safePrefix = /^((?:\/[A-Za-z0-9._~-]+){1,8})\/?$/;

/** The path that a browser sees before the paths of the gateway: of the public address, or of a proxy that removes it. */
function browserPrefix(app: FastifyInstance, request: FastifyRequest): string {
  if (app.pathPrefix !== '') return app.pathPrefix;
  const given = request.headers['x-forwarded-prefix'];
  const prefix = typeof given === 'string' ? safePrefix.exec(given)?.[1] : undefined;
  return prefix === undefined || prefix.includes('/..') ? '' : prefix;
}

export const isConsoleBuilt = (): boolean => existsSync(join(builtConsole, 'index.html'));

/** The address of the console for this browser; null when the console is not built. */
export function consoleAddress(app: FastifyInstance, request: FastifyRequest): string | null {
  return isConsoleBuilt() ? `${browserPrefix(app, request)}/console/` : null;
}

function notBuilt(): GatewayError {
  return new GatewayError(
    'not_found',
    'The console is not built here. Run `npm ci` with the development packages, or use the package or the image, which contain it.',
  );
}

/** The built page with the name and the logo of the team. */
function branded(page: string, { name, logo }: Brand): string {
  const attributes = `${name === null ? '' : ` data-brand="${escapeHtml(name)}"`}${logo === null ? '' : ' data-logo="own"'}`;
  const titled = name === null ? page : page.replace('<title>Pailou</title>', () => `<title>${escapeHtml(name)}</title>`);
  const iconed =
    logo === null ? titled : titled.replace('type="image/svg+xml" href="./favicon.svg"', () => `type="${logo.type}" href="./logo"`);
  return iconed.replace('<html', () => `<html${attributes}`);
}

/** A picture that runs no script, also when it is opened by itself. */
function sendLogo(reply: FastifyReply, { bytes, type }: Logo): FastifyReply {
  return reply
    .headers({
      'content-type': type,
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    })
    .send(bytes);
}

async function sendPage(app: FastifyInstance, brand: Brand, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const address = consoleAddress(app, request);
  if (address === null) throw notBuilt();
  const local = branded(await readFile(join(builtConsole, 'index.html'), 'utf8'), brand).replaceAll('"./', `"${address}`);
  // Without a cookie the page need not ask who is signed in.
  const signedOut = !sessionCookie.test(request.headers.cookie ?? '');
  return reply
    .headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentPolicy,
      'cache-control': 'no-cache',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      vary: 'x-forwarded-prefix, cookie',
    })
    .send(signedOut ? local.replace('data-session="possible"', 'data-session="none"') : local);
}

function withCharset(type: string | null | undefined): string {
  if (type == null) return 'application/octet-stream';
  return /javascript|json|^text\//.test(type) && !type.includes('charset') ? `${type}; charset=utf-8` : type;
}

async function sendFile(request: FastifyRequest<{ Params: { '*': string } }>, reply: FastifyReply): Promise<FastifyReply> {
  // Loaded by the first browser, not at the start.
  const { send } = await import('@fastify/send');
  const path = request.params['*'];
  const unknown = new GatewayError('not_found', `The console has no file "${path}".`);
  if (!builtFile.test(path)) throw unknown;
  const accepts = String(request.headers['accept-encoding'] ?? '').includes('br');
  const compressed = accepts && existsSync(join(builtConsole, `${path}.br`));
  const found = await send(request.raw, compressed ? `${path}.br` : path, {
    root: builtConsole,
    dotfiles: 'deny',
    index: false,
    cacheControl: false,
  });
  if (found.statusCode >= 400) {
    found.stream.destroy();
    throw unknown;
  }
  const { 'Content-Type': ownType, ...headers } = found.headers;
  const type = compressed ? send.mime.getType(extname(path)) : ownType;
  return reply
    .code(found.statusCode)
    .headers({
      ...headers,
      'content-type': withCharset(type),
      'cache-control': path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
      ...(compressed ? { 'content-encoding': 'br' } : {}),
    })
    .send(found.stream);
}

export function addConsole(app: FastifyInstance, brand: Brand): void {
  const route = { config: { access: 'public' }, schema: { hide: true } } as const;
  app.get('/console', route, async (request, reply) => {
    const address = consoleAddress(app, request);
    if (address === null) throw notBuilt();
    return reply.header('vary', 'x-forwarded-prefix').redirect(address, 302);
  });
  app.get('/console/logo', route, (_request, reply) => {
    if (brand.logo === null) throw new GatewayError('not_found', 'The console has no logo of its own; PAILOU_CONSOLE_LOGO sets it.');
    return sendLogo(reply, brand.logo);
  });
  // Every address below without a file is a page of the application.
  app.get<{ Params: { '*': string } }>('/console/*', route, (request, reply) =>
    extname(request.params['*']) === '' ? sendPage(app, brand, request, reply) : sendFile(request, reply),
  );
}
