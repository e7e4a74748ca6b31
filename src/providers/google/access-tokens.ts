/** Access tokens of a Google service account: signed, exchanged, and cached until shortly before they expire. */
import { importPKCS8, SignJWT } from 'jose';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject } from '../../types/json.ts';

export interface ServiceAccount {
  readonly clientEmail: string;
  readonly privateKey: string;
  readonly privateKeyId: string | undefined;
  readonly tokenAddress: string;
}

export interface AccessTokens {
  /** A token that stays valid for some minutes. Concurrent calls share one exchange. */
  get(): Promise<string>;
  /** Called when the vendor refused the token: the next call fetches a new one. */
  forget(): void;
}

const scope = 'https://www.googleapis.com/auth/cloud-platform';
const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** A token is renewed this long before it expires. */
const reserveMs = 5 * 60_000;
const patienceMs = 15_000;

interface Token {
  readonly value: string;
  readonly endsAt: number;
}

const param = 'spec.options.service_account';

/** Reads the JSON key file of a Google service account. Throws `configuration_invalid`. */
export function readServiceAccount(text: string): ServiceAccount {
  const refuse = (what: string): GatewayError =>
    new GatewayError('configuration_invalid', `${param}: ${what} Paste the whole JSON file that Google gave out for the service account.`, {
      param,
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw refuse('is not JSON.');
  }
  if (!isJsonObject(parsed)) throw refuse('is not a JSON object.');
  const { client_email: clientEmail, private_key: privateKey, private_key_id: privateKeyId, token_uri: tokenAddress } = parsed;
  if (typeof clientEmail !== 'string' || clientEmail === '') throw refuse('has no client_email.');
  if (typeof privateKey !== 'string' || privateKey === '') throw refuse('has no private_key.');
  return {
    clientEmail,
    privateKey,
    privateKeyId: typeof privateKeyId === 'string' ? privateKeyId : undefined,
    tokenAddress: typeof tokenAddress === 'string' ? tokenAddress : 'https://oauth2.googleapis.com/token',
  };
}

/** Rejects with `configuration_invalid` for a key that cannot sign. */
export async function createAccessTokens(
  account: ServiceAccount,
  services: { readonly fetch: typeof fetch; readonly now?: () => number },
): Promise<AccessTokens> {
  const now = services.now ?? Date.now;
  const key = await importPKCS8(account.privateKey, 'RS256').catch((cause: unknown) => {
    throw new GatewayError('configuration_invalid', `${param}: its private_key is no RSA key in PEM form (PKCS #8).`, { param, cause });
  });
  let current: Token | null = null;
  let exchange: Promise<Token> | null = null;

  const fetchToken = async (): Promise<Token> => {
    const seconds = Math.floor(now() / 1000);
    const assertion = await new SignJWT({ scope })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(account.privateKeyId === undefined ? {} : { kid: account.privateKeyId }) })
      .setIssuer(account.clientEmail)
      .setAudience(account.tokenAddress)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 3600)
      .sign(key);
    const { status, text } = await post(services.fetch, account.tokenAddress, assertion);
    const answer = readAnswer(text);
    const { access_token: value, expires_in: lifetime } = answer;
    if (status >= 200 && status < 300 && typeof value === 'string' && value !== '') {
      return { value, endsAt: now() + (typeof lifetime === 'number' ? lifetime : 3600) * 1000 };
    }
    throw refusal(status, answer);
  };

  const renew = (): Promise<Token> => {
    exchange ??= fetchToken().then(
      (token) => {
        exchange = null;
        return (current = token);
      },
      (error: unknown) => {
        exchange = null;
        throw error;
      },
    );
    return exchange;
  };

  return {
    async get() {
      const cached = current;
      if (cached !== null && cached.endsAt - now() > reserveMs) return cached.value;
      try {
        return (await renew()).value;
      } catch (error) {
        // A failed renewal does no harm while the old token is valid.
        if (cached !== null && cached.endsAt > now()) return cached.value;
        throw error;
      }
    },
    forget() {
      current = null;
    },
  };
}

async function post(send: typeof fetch, address: string, assertion: string): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await send(address, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ grant_type: grant, assertion }).toString(),
      signal: AbortSignal.timeout(patienceMs),
    });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new GatewayError('upstream_unavailable', "Google's token service cannot be reached. Try again.", { cause });
  }
}

function readAnswer(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return isJsonObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** Only OAuth's own error fields: the rest of the answer may hold secrets. */
function refusal(status: number, answer: Readonly<Record<string, unknown>>): GatewayError {
  const details = { status, error: answer['error'] ?? null, description: answer['error_description'] ?? null };
  if (status >= 500 || status === 429) {
    return new GatewayError('upstream_unavailable', "Google's token service is overloaded or down. Try again.", { details });
  }
  return new GatewayError(
    'upstream_authentication',
    "Google refused Pailou's service account. An administrator must renew the provider's credential.",
    { details },
  );
}
