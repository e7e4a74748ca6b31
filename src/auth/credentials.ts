/** The one door for credentials: a token of the OAuth2 service, or a key that stands for its owner. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../types/access.ts';
import type { Snapshot } from '../types/snapshot.ts';
import type { Authenticator } from './authenticator.ts';
import type { KeyDoor } from './key-door.ts';
import { looksLikeKey } from './key-secret.ts';
import { invalid, tokenOf } from './token-checks.ts';

/** Where a credential came: keys are part of the configuration. */
export interface Arrival {
  readonly snapshot: Snapshot;
  /** Of the connection. */
  readonly address: string;
}

export interface Credentials {
  /** Synchronous when the credential is known. Throws or rejects with token_missing, token_invalid, token_expired, permission_denied or auth_unavailable. */
  admit(headers: IncomingHttpHeaders, arrival: Arrival): Principal | Promise<Principal>;
}

/** `keyDoor` null: keys are switched off. `tokenHeader`: one more header in which tokens come. */
export function createCredentials(authenticator: Authenticator, keyDoor: KeyDoor | null, tokenHeader: string | null = null): Credentials {
  return {
    admit(headers, { snapshot, address }) {
      const credential = tokenOf(headers, tokenHeader);
      if (!looksLikeKey(credential)) return authenticator.verify(credential);
      if (keyDoor === null) throw invalid('Keys are switched off here. Send a token of your OAuth2 service.');
      return keyDoor.enter(credential, snapshot, address);
    },
  };
}
