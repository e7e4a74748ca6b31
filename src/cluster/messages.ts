/** The messages between the primary process and its workers. */
import type { Demand } from '../quota/limit-requests.ts';
import type { DeploymentUpdate } from '../types/dispatch.ts';
import type { Settled } from '../quota/quota.ts';
import type { AuditAct } from '../storage/audit.ts';
import type { ErrorCode } from '../types/errors.ts';
import type { Refusal } from '../types/refusal.ts';
import type { RunContent, RunRecord } from '../types/run.ts';

/** What a worker needs to begin. */
export interface WorkerStart {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of this worker alone. */
  readonly folder: string;
  /** The socket on which the primary process serves what the worker does not. */
  readonly socketPath: string;
  /** The issuer of the development identity service; null where OAuth2 services are configured. */
  readonly developmentIssuer: string | null;
  /** The number of processes that read bodies. */
  readonly processes: number;
}

/** A body that is not read yet. */
export interface ArrivingBody {
  /** Callers with the same key share one part of the memory. */
  readonly person: string;
  readonly bytes: number;
  /** On the limits that count every call of the caller; null without such a limit. */
  readonly demands: readonly Demand[] | null;
}

/** The result of a reservation in the primary process. */
export interface Reserved {
  readonly headers: Readonly<Record<string, string>>;
  readonly refused: RefusedLimit | null;
}

/** A GatewayError as data. */
export interface RefusedLimit {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param: string | null;
  readonly expose?: Record<string, unknown>;
  readonly retryAfterSeconds?: number;
}

export type WorkerMessage =
  | readonly ['ready']
  /** The revision of the configuration that it serves from now on. */
  | readonly ['serves', revision: number]
  /** The process cannot begin: the message for people. */
  | readonly ['failed', message: string]
  /** A call has begun, or has progressed: its record if the process died now. */
  | readonly ['run-open', record: RunRecord]
  /** The call may outlive this process's knowledge of it: the primary notes it on disk. */
  | readonly ['run-begun', id: string]
  | readonly ['run-ended', record: RunRecord]
  | readonly ['content', id: string, days: number, content: RunContent]
  | readonly ['reserve', id: number, demands: readonly Demand[], leaseMs: number]
  | readonly ['settle', id: number, used: Settled | null]
  /** Asks for the room of a body. */
  | readonly ['body', id: number, body: ArrivingBody]
  /** The body has arrived, and its call is counted from now on. */
  | readonly ['body-arrived', id: number]
  /** Its memory is free. */
  | readonly ['body-freed', id: number]
  /** The answer to `ping`. */
  | readonly ['pong']
  | readonly ['refused', Refusal]
  | readonly ['circuit', deployment: string, state: 'closed' | 'half-open' | 'open']
  /** A circuit opened or closed, or a vendor asked for a pause. The other processes follow. */
  | readonly ['deployment', DeploymentUpdate]
  | readonly ['audit', act: AuditAct];

export type PrimaryMessage =
  | readonly ['start', WorkerStart]
  | readonly ['reserved', id: number, Reserved]
  | readonly ['body-admitted', id: number, Reserved]
  /** The configuration or the list of blocked people has changed in the database. */
  | readonly ['changed']
  /** What another process has learned of a deployment. */
  | readonly ['deployment', DeploymentUpdate]
  /** Asks for a sign of life. */
  | readonly ['ping']
  | readonly ['drain']
  | readonly ['close', graceMs: number];

export type Message = WorkerMessage | PrimaryMessage;
