/** Accounts of single people at one MCP server: their stored state, sealed and shared by all nodes. */
import type { JsonObject } from './json.ts';

/** The owner of an account. Null: state that all accounts at the server share, such as Pailou's client registration. */
export interface AccountOwner {
  readonly issuer: string;
  readonly subject: string;
}

export interface KeptAccount {
  readonly state: JsonObject;
  /** Increases with each write. */
  readonly version: number;
}

/** The accounts at one MCP server. Each method rejects with `storage_unavailable`. Times in epoch milliseconds. */
export interface Accounts {
  read(owner: AccountOwner | null): Promise<KeptAccount | null>;
  /** False when another writer has written since `version`. 0: there was no row. */
  write(owner: AccountOwner | null, state: JsonObject, version: number): Promise<boolean>;
  /** True for one caller on one node at a time. That caller alone may renew the tokens until `until`. */
  claim(owner: AccountOwner, version: number, until: number): Promise<boolean>;
  remove(owner: AccountOwner | null): Promise<void>;
}

/** The query of the redirect from the server's OAuth2 service. */
export interface ConnectAnswer {
  readonly redirectUri: string;
  readonly state: string;
  readonly code: string;
  /** The issuer that answered (RFC 9207), if given. */
  readonly iss: string | null;
}

export interface AccountStatus {
  readonly connected: boolean;
  /** Epoch milliseconds when the current token expires; null when unknown. The token may be renewed automatically. */
  readonly expiresAt: number | null;
  readonly scope: string | null;
}

/** The flow by which people connect their own accounts at one MCP server. */
export interface PersonalAccounts {
  /** The address that the person's browser is sent to. Throws `tool_failed` when the server's OAuth2 service cannot be found or refuses. */
  begin(this: void, owner: AccountOwner, redirectUri: string): Promise<URL>;
  /** Once for each `begin`. Throws `sign_in_failed` when the flow belongs to another person, has expired or was refused. */
  finish(this: void, owner: AccountOwner, answer: ConnectAnswer): Promise<void>;
  status(this: void, owner: AccountOwner): Promise<AccountStatus>;
  forget(this: void, owner: AccountOwner): Promise<void>;
}
