/** The rule that limits where a caller's own token may be sent. */
export interface TokenExchange {
  /** Rejects with `configuration_invalid` naming `param` unless tokens of some issuer may be exchanged at this address. */
  check(url: string, param: string): Promise<void>;
  /** Checked before each exchange. Rejects unless a token of `issuer` may be sent to this address. */
  require(url: string, issuer: string): Promise<void>;
}
