/** An error answer of the gateway. Its code is what the console translates. */
interface ErrorFacts {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly requestId: string | null;
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  readonly requestId: string | null;

  constructor(facts: ErrorFacts, options?: ErrorOptions) {
    super(facts.message, options);
    this.name = 'ApiError';
    this.status = facts.status;
    this.code = facts.code;
    this.param = facts.param;
    this.requestId = facts.requestId;
  }
}

interface ErrorBody {
  readonly error?: { readonly code?: string | null; readonly message?: string; readonly param?: string | null };
}

export async function readError(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  return new ApiError({
    status: response.status,
    code: body.error?.code ?? (response.status === 502 || response.status === 504 ? 'unreachable' : 'unknown'),
    message: body.error?.message ?? `HTTP ${response.status}`,
    param: body.error?.param ?? null,
    requestId: response.headers.get('x-request-id'),
  });
}

/** The gateway, or the network before it, gives no answer. */
export function unreachable(cause: unknown): ApiError {
  return new ApiError({ status: 0, code: 'unreachable', message: '', param: null, requestId: null }, { cause });
}
