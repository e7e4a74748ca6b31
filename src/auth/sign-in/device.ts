/** Sign-in from the command line by the device flow (RFC 8628), with any browser. */
import * as oauth from 'openid-client';
import { z } from 'zod';
import { environmentFetch } from '../../outbound/environment-client.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Login } from './login-file.ts';

const timeoutSeconds = 10;
/** A token is renewed when less than this remains, so that it outlasts the next call. */
const earlyMs = 60_000;

const place = z.object({ issuer: z.url(), client_id: z.string().min(1), scope: z.string().min(1) });

const failed = (message: string, cause?: unknown): GatewayError => new GatewayError('sign_in_failed', message, { cause });

async function serviceOf(issuer: string, clientId: string): Promise<oauth.Configuration> {
  try {
    return await oauth.discovery(new URL(issuer), clientId, undefined, oauth.None(), {
      timeout: timeoutSeconds,
      // The gateway returned the address. A service in a private network may have no https.
      execute: [oauth.allowInsecureRequests],
      [oauth.customFetch]: environmentFetch() as unknown as oauth.CustomFetch,
    });
  } catch (cause) {
    throw new GatewayError('auth_unavailable', `The OAuth2 service at ${issuer} cannot be reached from here.`, { cause });
  }
}

/** The sign-in configuration of this gateway. Throws a readable error when there is no such gateway. */
async function placeOf(gateway: string): Promise<z.output<typeof place>> {
  let response: Response;
  try {
    response = await environmentFetch()(`${gateway}/auth/cli`, { signal: AbortSignal.timeout(timeoutSeconds * 1_000), redirect: 'error' });
  } catch (cause) {
    throw failed(`No gateway answers at ${gateway}. Check the address.`, cause);
  }
  const body: unknown = await response.json().catch(() => null);
  const found = place.safeParse(body);
  if (found.success) return found.data;
  const said = (body as { error?: { message?: string } } | null)?.error?.message;
  throw failed(said ?? `The service at ${gateway} is not Pailou, or an older version of it.`);
}

function loginOf(gateway: string, issuer: string, clientId: string, answer: oauth.TokenEndpointResponse, before: Login | null): Login {
  return {
    gateway,
    issuer,
    client_id: clientId,
    access_token: answer.access_token,
    refresh_token: answer.refresh_token ?? before?.refresh_token ?? null,
    expires_at: answer.expires_in === undefined ? null : Date.now() + answer.expires_in * 1_000,
  };
}

/** Resolves when the person has signed in. `show` receives the address and the code. */
export async function loginByDevice(gateway: string, show: (address: string, code: string) => void): Promise<Login> {
  const { issuer, client_id: clientId, scope } = await placeOf(gateway);
  const service = await serviceOf(issuer, clientId);
  if (service.serverMetadata().device_authorization_endpoint === undefined)
    throw failed(`The OAuth2 service at ${issuer} has no device flow. Make a key for this machine: docs/keys.md`);
  try {
    const begun = await oauth.initiateDeviceAuthorization(service, { scope });
    show(begun.verification_uri_complete ?? begun.verification_uri, begun.user_code);
    return loginOf(gateway, issuer, clientId, await oauth.pollDeviceAuthorizationGrant(service, begun), null);
  } catch (cause) {
    const said = cause instanceof oauth.ResponseBodyError ? ` The service said: ${cause.error}.` : '';
    throw failed(`Signing in did not work.${said} Try again: pailou login ${gateway}`, cause);
  }
}

/** Returns the login, or a renewed one when its token expires soon. Throws `sign_in_failed` when the service refuses. */
export async function freshLogin(login: Login): Promise<Login> {
  if (login.expires_at === null || login.expires_at - Date.now() > earlyMs) return login;
  const again = `Your sign-in has expired. Sign in again: pailou login ${login.gateway}`;
  if (login.refresh_token === null) throw failed(again);
  const service = await serviceOf(login.issuer, login.client_id);
  try {
    const answer = await oauth.refreshTokenGrant(service, login.refresh_token);
    return loginOf(login.gateway, login.issuer, login.client_id, answer, login);
  } catch (cause) {
    throw failed(again, cause);
  }
}

/** Revokes the tokens at the service when it can be reached. True when it confirmed. */
export async function revokeLogin(login: Login): Promise<boolean> {
  try {
    const service = await serviceOf(login.issuer, login.client_id);
    await oauth.tokenRevocation(service, login.refresh_token ?? login.access_token);
    return true;
  } catch {
    return false;
  }
}
