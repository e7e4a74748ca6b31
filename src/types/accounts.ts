/** Accounts that single people have at one MCP server: what is kept of them, sealed, for every node. */
import type { JsonObject } from './json.ts';

/** Whose account it is; null for what all accounts at the server share, such as how Pailou is registered there. */
export interface AccountOwner {
  readonly issuer: string;
  readonly subject: string;
}

export interface KeptAccount {
  readonly state: JsonObject;
  /** Rises with each write. */
  readonly version: number;
}

/** Of one MCP server. Each rejects with `storage_unavailable`. Times in epoch milliseconds. */
export interface Accounts {
  read(owner: AccountOwner | null): Promise<KeptAccount | null>;
  /** False if somebody else wrote since `version` (0: there was none). */
  write(owner: AccountOwner | null, state: JsonObject, version: number): Promise<boolean>;
  /** True for one caller on one node at a time, which alone may renew the tokens until `until`. */
  claim(owner: AccountOwner, version: number, until: number): Promise<boolean>;
  remove(owner: AccountOwner | null): Promise<void>;
}

/** Where the way back from the server's OAuth2 service brings the person's browser, with what it carried. */
export interface ConnectAnswer {
  readonly redirectUri: string;
  readonly state: string;
  readonly code: string;
  /** The issuer that answered (RFC 9207), where it says so. */
  readonly iss: string | null;
}

export interface AccountStatus {
  readonly connected: boolean;
  /** Epoch milliseconds of the present token's end; null for unknown. It may be renewed by itself. */
  readonly expiresAt: number | null;
  readonly scope: string | null;
}

/** How people connect their own accounts at one MCP server. */
export interface PersonalAccounts {
  /** The address that the person's browser goes to. Throws `tool_failed` where the server's OAuth2 service cannot be found or refuses. */
  begin(this: void, owner: AccountOwner, redirectUri: string): Promise<URL>;
  /** Once for each beginning. Throws `sign_in_failed` if it was not this person's, is over or was refused. */
  finish(this: void, owner: AccountOwner, answer: ConnectAnswer): Promise<void>;
  status(this: void, owner: AccountOwner): Promise<AccountStatus>;
  forget(this: void, owner: AccountOwner): Promise<void>;
}
