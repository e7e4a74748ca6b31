/** A request that was refused before a run was opened, for the metrics and the access log. Plain data: workers send it to the primary process. */
import type { ErrorCode } from './errors.ts';

export interface Refusal {
  readonly code: ErrorCode;
  readonly requestId: string;
  /** Method and pattern of the address, such as `POST /v1/chat/completions`. */
  readonly route: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly ms: number;
  /** Null: the caller is not known. */
  readonly caller: {
    readonly tenant: string;
    readonly issuer: string;
    readonly subject: string;
    readonly key: string | null;
    readonly client: string | null;
  } | null;
}
