/** The error class and the table of error codes. A test checks `docs/errors.md` against this table. */

interface ErrorRule {
  /** The HTTP status of the response. */
  readonly status: number;
  /** OpenAI's `error.type`. */
  readonly type: string;
  /** True when another deployment, or the same one later, may succeed. Read by dispatch. */
  readonly retryable: boolean;
  /** Meaning and remedy, for `docs/errors.md`. */
  readonly meaning: string;
}

const request = 'invalid_request_error';
const server = 'server_error';

export const errorTable = {
  invalid_json: {
    status: 400,
    type: request,
    retryable: false,
    meaning: 'The body is not valid JSON. Check quoting and the Content-Type header.',
  },
  invalid_request: {
    status: 400,
    type: request,
    retryable: false,
    meaning: 'A field is missing or has the wrong type or value. `param` names it.',
  },
  sign_in_failed: {
    status: 400,
    type: request,
    retryable: false,
    meaning: 'The browser sign-in was not completed. Start again at /auth/login, in the same browser.',
  },
  unsupported_parameter: {
    status: 400,
    type: request,
    retryable: false,
    meaning: 'The chosen vendor cannot do what this field asks for. Leave the field out or use another model.',
  },
  context_length_exceeded: {
    status: 400,
    type: request,
    retryable: false,
    meaning: 'The input is longer than the model takes. Shorten it or use a larger model.',
  },
  tool_use_failed: {
    status: 400,
    type: request,
    retryable: false,
    meaning:
      'The model wrote a tool call that is not valid, and the vendor refused it; `failed_generation` is what the model wrote. Send the request again, or describe the tools more simply.',
  },
  upstream_model_not_found: {
    status: 400,
    type: request,
    retryable: true,
    meaning: 'The vendor does not know the model or the address that the deployment names. Tell your administrator.',
  },
  content_filter: { status: 400, type: request, retryable: false, meaning: 'The vendor refused the content of the request.' },
  configuration_invalid: {
    status: 400,
    type: request,
    retryable: false,
    meaning: 'The configuration that you tried to save is not valid. Nothing was changed; `param` names the field.',
  },
  token_missing: {
    status: 401,
    type: 'authentication_error',
    retryable: false,
    meaning: 'Send the token of your OAuth2 service as `Authorization: Bearer <token>`.',
  },
  token_invalid: {
    status: 401,
    type: 'authentication_error',
    retryable: false,
    meaning: 'The token cannot be trusted: wrong signature, issuer, audience, type or form. Fetch a new one.',
  },
  token_expired: { status: 401, type: 'authentication_error', retryable: false, meaning: 'The token has expired. Fetch a new one.' },
  permission_denied: {
    status: 403,
    type: 'permission_error',
    retryable: false,
    meaning: 'You may not do this. `GET /api/explain` shows which rule decided; an administrator can grant the right.',
  },
  account_required: {
    status: 403,
    type: 'permission_error',
    retryable: false,
    meaning:
      'The MCP server wants an account of your own. Connect it once: `POST /api/mcp-servers/{name}/account` gives the address to open.',
  },
  not_found: { status: 404, type: request, retryable: false, meaning: 'There is no such resource in your tenant.' },
  model_not_found: {
    status: 404,
    type: request,
    retryable: false,
    meaning: 'There is no such model for you. `GET /v1/models` lists what you may use.',
  },
  method_not_allowed: {
    status: 405,
    type: request,
    retryable: false,
    meaning: 'This address exists, but not with this HTTP method. The Allow header lists the methods.',
  },
  request_timeout: { status: 408, type: request, retryable: false, meaning: 'The request took too long to arrive.' },
  already_exists: {
    status: 409,
    type: request,
    retryable: false,
    meaning: 'Something with this name already exists. Choose another name or update the existing one.',
  },
  locked: {
    status: 409,
    type: request,
    retryable: false,
    meaning: 'The configuration file of the gateway owns the row. Change it in that file.',
  },
  in_use: {
    status: 409,
    type: request,
    retryable: false,
    meaning: 'Another row still refers to it. Change or delete that row first; the message names it.',
  },
  revision_conflict: {
    status: 409,
    type: request,
    retryable: false,
    meaning: 'The resource has changed since you read it. The error contains the current state. Compare, then write again.',
  },
  body_too_large: { status: 413, type: request, retryable: false, meaning: 'The request body is larger than the limit.' },
  unsupported_media_type: {
    status: 415,
    type: request,
    retryable: false,
    meaning: 'Send the body in the type that the message names, most often `Content-Type: application/json`.',
  },
  headers_too_large: {
    status: 431,
    type: request,
    retryable: false,
    meaning: 'The request headers are larger than 64 kB. Shorten the token (look roles up at the service instead).',
  },
  websocket_unsupported: {
    status: 426,
    type: request,
    retryable: false,
    meaning: 'No WebSocket is served at this address. Send the same request over HTTP; answers can be streamed.',
  },
  rate_limited: {
    status: 429,
    type: 'rate_limit_error',
    retryable: true,
    meaning: 'Too many requests at this moment. Wait as long as `retry-after` says.',
  },
  budget_exhausted: {
    status: 429,
    type: 'insufficient_quota',
    retryable: false,
    meaning: 'A budget that your administrator has set is used up for its period. The message names it.',
  },
  price_unknown: {
    status: 403,
    type: 'permission_error',
    retryable: false,
    meaning:
      'A budget counts your calls in money, and this model has no price in it. An administrator must set the price, or allow such models.',
  },
  limits_unavailable: {
    status: 503,
    type: server,
    retryable: false,
    meaning:
      'The service that counts limits for all nodes cannot be reached, and this gateway is set up to refuse calls then. Try again soon.',
  },
  upstream_quota_exhausted: {
    status: 429,
    type: 'insufficient_quota',
    retryable: true,
    meaning: "The company's account at the vendor is used up or in arrears. Tell your administrator.",
  },
  client_closed_request: {
    status: 499,
    type: request,
    retryable: false,
    meaning: 'The caller left before the answer was complete. Seen in the ledger only.',
  },
  internal_error: { status: 500, type: server, retryable: false, meaning: 'A fault inside Pailou. Report it with the request id.' },
  skill_failed: {
    status: 500,
    type: server,
    retryable: false,
    meaning: 'The code of a custom skill failed. The log contains the reason, with the request id.',
  },
  upstream_authentication: {
    status: 502,
    type: server,
    retryable: true,
    meaning: "The vendor refused Pailou's credential. An administrator must renew the provider's key.",
  },
  upstream_error: {
    status: 502,
    type: server,
    retryable: true,
    meaning: 'The vendor failed. Try again; an administrator sees the attempts of this request in the ledger.',
  },
  upstream_invalid_response: {
    status: 502,
    type: server,
    retryable: true,
    meaning: 'The vendor answered something that is not a valid answer.',
  },
  upstream_interrupted: {
    status: 502,
    type: server,
    retryable: true,
    meaning: 'The vendor cut the answer short. What you received is incomplete.',
  },
  output_truncated: {
    status: 502,
    type: server,
    retryable: false,
    meaning:
      'A skill needs the whole answer of its model, which was cut off at its limit of length. Allow the model more tokens, or give the skill less at once (`best_attempt` contains the partial answer).',
  },
  output_invalid: {
    status: 502,
    type: server,
    retryable: false,
    meaning:
      "The model's answer does not fit the output schema of the skill, or the JSON Schema of `response_format` that its vendor does not know, even after repairs (`best_attempt` contains the last answer). Another model may do better.",
  },
  tool_failed: { status: 502, type: server, retryable: false, meaning: 'A tool that the call needs could not be reached or failed.' },
  auth_unavailable: {
    status: 503,
    type: server,
    retryable: false,
    meaning: 'The identity service cannot be reached, so unknown callers cannot be authenticated. Try again soon.',
  },
  upstream_unavailable: {
    status: 503,
    type: server,
    retryable: true,
    meaning: 'The vendor is unreachable or overloaded, or every deployment of the model failed.',
  },
  storage_unavailable: {
    status: 503,
    type: server,
    retryable: false,
    meaning: 'The database cannot be reached, so nothing can be changed or listed. Calls still work.',
  },
  node_lost: {
    status: 503,
    type: server,
    retryable: false,
    meaning:
      'The node of the run died, by a crash or a kill. The run is recorded by another process, with the usage known two seconds before; its caller lost the connection. Send the request again.',
  },
  shutting_down: {
    status: 503,
    type: server,
    retryable: false,
    meaning: 'This node is stopping. Send the request again; another node will answer.',
  },
  upstream_timeout: {
    status: 504,
    type: server,
    retryable: true,
    meaning: 'The vendor did not answer within the time limit of the model.',
  },
  step_limit_reached: {
    status: 422,
    type: request,
    retryable: false,
    meaning: 'The run used all the steps that it may take, or went too deep. Raise the limit or simplify the task.',
  },
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof errorTable;

export interface GatewayErrorOptions {
  /** The request field at fault, as a path such as `messages[0].role`. */
  readonly param?: string | undefined;
  /** For operators (logs, ledger). Never sent to a caller. Vendor text belongs here. */
  readonly details?: unknown;
  /** Additional members for the caller, such as the current row of a conflict. */
  readonly expose?: Record<string, unknown> | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** Overrides the table when the place of the failure knows better. */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

/** The upper bound of a `Retry-After`: the end of a month's budget. A vendor's value may be larger. */
const longestWaitSeconds = 31 * 86_400;

/** Every expected failure in Pailou. `message` is for the caller: plain, names the field and the remedy, no vendor text. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: string;
  readonly retryable: boolean;
  readonly param: string | null;
  readonly details: unknown;
  readonly expose: Record<string, unknown> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    const rule = errorTable[code];
    this.code = code;
    this.status = rule.status;
    this.type = rule.type;
    this.retryable = options.retryable ?? rule.retryable;
    this.param = options.param ?? null;
    this.details = options.details;
    this.expose = options.expose;
    const { retryAfterSeconds: wait } = options;
    this.retryAfterSeconds = wait === undefined || Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longestWaitSeconds);
  }
}

/** Any thrown value as a GatewayError. Unknown ones become `internal_error`, whose message reveals nothing. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('internal_error', 'Something went wrong inside Pailou. Report it with the request id.', {
    cause: thrown,
  });
}
