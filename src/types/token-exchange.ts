/** The rule about where a caller's own token may go. */
export interface TokenExchange {
  /** Rejects with `configuration_invalid` naming `param`, unless tokens of some issuer may be exchanged at this address. */
  check(url: string, param: string): Promise<void>;
  /** Asked before each exchange. Rejects unless a token of `issuer` may be sent to this address. */
  require(url: string, issuer: string): Promise<void>;
}
