/** Errors in the form of OAuth (RFC 6749 5.2, RFC 7591 3.2.2), which MCP clients read. */

export type OauthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_client_metadata'
  | 'invalid_grant'
  | 'invalid_redirect_uri'
  | 'invalid_target'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'access_denied';

export class OauthError extends Error {
  override readonly name = 'OauthError';
  readonly code: OauthErrorCode;

  constructor(code: OauthErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
