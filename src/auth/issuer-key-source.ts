/** The signing keys of an issuer, from any configured source. */
import { createPublicKey } from 'node:crypto';
import { exportJWK, importSPKI, type CryptoKey, type JSONWebKeySet } from 'jose';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import { type Discovery, fetchJson } from './discovery.ts';
import type { IssuerSettings } from './issuer.ts';
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts';
import { algorithms, secretAlgorithms } from './token-checks.ts';

/** `fetch` reaches addresses from the configuration. */
export interface KeySourceOptions {
  readonly discovery: Discovery;
  readonly fetch: typeof fetch;
  readonly logger: Logger;
  readonly onKeyRemoved: () => void;
}

/** A PEM public key as a JWK for each algorithm of its type. Throws for anything else. */
async function jwkOf(pem: string): Promise<JSONWebKeySet['keys'][number]> {
  // Accepts certificates and PKCS#1 too, and explains what is wrong with others.
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType === undefined) throw new Error('not a public key');
  return exportJWK(key);
}

const wrongKind = (): GatewayError =>
  new GatewayError('token_invalid', 'The token is signed in another way than the key of this identity service can check.');

/** One key that never changes. */
function fixedKeys(keysFor: (algorithm: string) => Promise<CryptoKey>): IssuerKeys {
  const known = new Map<string, Promise<CryptoKey>>();
  return {
    async keysFor({ alg = '' }) {
      let key = known.get(alg);
      if (key === undefined) known.set(alg, (key = keysFor(alg)));
      try {
        return [await key];
      } catch {
        throw wrongKind();
      }
    },
    close() {},
  };
}

function pemKeys(pem: string): IssuerKeys {
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
  return fixedKeys(async (algorithm) => {
    if (!algorithms.includes(algorithm)) throw wrongKind();
    return importSPKI(spki, algorithm);
  });
}

const hashes: Readonly<Record<string, string>> = { HS256: 'SHA-256', HS384: 'SHA-384', HS512: 'SHA-512' };

function secretKeys(secret: string): IssuerKeys {
  return fixedKeys(async (algorithm) => {
    const hash = secretAlgorithms.includes(algorithm) ? hashes[algorithm] : undefined;
    if (hash === undefined) throw wrongKind();
    return crypto.subtle.importKey('raw', Buffer.from(secret), { name: 'HMAC', hash }, false, ['verify']);
  });
}

/** Throws when the key in the settings is invalid. */
export function createKeysOf(settings: IssuerSettings, options: KeySourceOptions): IssuerKeys {
  const { keys: source, issuer } = settings;
  const { logger, onKeyRemoved } = options;
  const refreshed = (load: (again: boolean, signal: AbortSignal) => Promise<JSONWebKeySet>): IssuerKeys =>
    createIssuerKeys({ issuer, logger, onKeyRemoved, load });
  switch (source.from) {
    case 'discovery':
      return refreshed(async (again, signal) => {
        const { jwks_uri: url } = await options.discovery.fresh(again);
        if (url === null) throw new Error(`the discovery document of ${issuer} names no jwks_uri`);
        return (await fetchJson(url, options.fetch, signal)) as unknown as JSONWebKeySet;
      });
    case 'jwks':
      return refreshed(async (_again, signal) => (await fetchJson(source.url, options.fetch, signal)) as unknown as JSONWebKeySet);
    case 'token_key':
      return refreshed(async (_again, signal) => {
        const { value } = await fetchJson(source.url, options.fetch, signal);
        // With a shared secret this address returns the secret itself, so that every reader could sign tokens.
        if (typeof value !== 'string' || !value.includes('BEGIN')) throw new Error(`${source.url} answered no public key (PEM in "value")`);
        return { keys: [await jwkOf(value)] };
      });
    case 'pem':
      return pemKeys(source.pem);
    case 'secret':
      return secretKeys(source.secret);
    default:
      return source satisfies never;
  }
}
