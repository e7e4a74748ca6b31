/** The HTTP server: one Fastify instance, its limits, and the order of its parts. */
import Fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Credentials } from '../auth/credentials.ts';
import { refusePoison } from '../config/validation-errors.ts';
import type { ConfigService } from '../config/service.ts';
import type { Quota } from '../quota/quota.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { Logger } from '../types/logger.ts';
import type { Refusal } from '../types/refusal.ts';
import { addAdmission, type AdmissionOptions, requestId, requireDeclaredAccess } from './admission.ts';
import { addCrossOrigin, type CorsOrigins } from './cross-origin.ts';
import { addDocumentation, type DocumentationAudience } from './documentation.ts';
import { addErrorHandling, answerClientError } from './error-handling.ts';
import { addBodyAdmission, type BodyAdmission } from './bodies/body-admission.ts';
import type { BodyBudget } from './bodies/body-budget.ts';
import { addJsonBody } from './bodies/json-body.ts';
import { addQueryNames } from './query-names.ts';
import { createRequestAddresses, pathPrefix } from './request-address.ts';
import { schemaCompilers } from './schema-compilers.ts';
import { createActiveRequests } from './active-requests.ts';
import { addShutdown, type Shutdown } from './shutdown.ts';

export interface ServerOptions {
  readonly credentials: Credentials;
  /** The public address of the gateway without a trailing slash. */
  readonly publicUrl: string;
  /** The interval of permission re-checks in milliseconds. */
  readonly recheckMs: number;
  /** Milliseconds without a byte read after which a stalled client is closed. */
  readonly unreadMs: number;
  /** Milliseconds of silence after which a stream gets a keep-alive comment. */
  readonly pingMs: number;
  readonly config: Pick<ConfigService, 'hold' | 'current' | 'kinds'>;
  /** Prepares the configuration of a tenant before the calls of its people; returns null when there is nothing to wait for. Null: none is prepared. */
  readonly prepareTenant: ((tenant: string) => Promise<void> | null) | null;
  /** As in AdmissionOptions. */
  readonly viewAs: AdmissionOptions['viewAs'];
  /** As in AdmissionOptions. */
  readonly onUnadmitted?: AdmissionOptions['onUnadmitted'];
  readonly audit: Pick<AuditLog, 'append'>;
  /** The tenant whose audit records callers without a known tenant. */
  readonly homeTenant: string;
  /** As in ErrorHandlingOptions. */
  readonly onRefusal?: (refusal: Refusal) => void;
  readonly logger: Logger;
  readonly bodyLimit: number;
  readonly bodyBudget: BodyBudget;
  /** As in BodyAdmission. */
  readonly primary?: BodyAdmission['primary'];
  /** Seconds for which a body may arrive below the minimum rate. */
  readonly slowBodySeconds: number;
  readonly quota: Pick<Quota, 'arrive'>;
  readonly version: string;
  /** Calls `listener` when a person is blocked or signed out, to end their active requests. */
  readonly onRevocation: (listener: () => void) => void;
  readonly shutdown: Shutdown;
  readonly docs: DocumentationAudience;
  /** The origins of web pages that may call. */
  readonly corsOrigins: CorsOrigins;
  /** Adds the routes whose bodies zod validates before the handler (the control API). */
  readonly control: (app: FastifyInstance) => void;
  /** Adds the routes that validate their own bodies and forward them (the calls). */
  readonly calls: (app: FastifyInstance) => void;
}

/** A server that is ready to listen. Throws when a route declares no access. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const addresses = createRequestAddresses(options.publicUrl);
  const app = Fastify({
    rewriteUrl: (request) => addresses.rewrite(request),
    bodyLimit: options.bodyLimit,
    genReqId: requestId,
    requestIdHeader: false,
    http: { maxHeaderSize: 65_536, headersTimeout: 15_000, requestTimeout: 120_000 },
    routerOptions: { maxParamLength: 4_000 },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id);
      app.errorHandler(error, request, reply);
    },
    // `addShutdown` refuses in the format of the API.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    schemaController: schemaCompilers(validatorCompiler, serializerCompiler),
  });
  requireDeclaredAccess(app);
  app.addHook('onRoute', (route) => addresses.learn(route.url));
  addCrossOrigin(app, options.corsOrigins);
  addShutdown(app, options.shutdown);
  addAdmission(app, options);
  const activeRequests = createActiveRequests({ ...options, everyMs: options.recheckMs });
  options.onRevocation(() => activeRequests.revoked());
  app.decorate('activeRequests', activeRequests);
  app.decorate('unreadMs', options.unreadMs);
  app.decorate('pingMs', options.pingMs);
  app.decorate('publicUrl', options.publicUrl);
  app.decorate('pathPrefix', pathPrefix(options.publicUrl));
  app.addHook('onClose', async () => activeRequests.close());
  const answerUnknown = addErrorHandling(app, options);
  addBodyAdmission(app, options, answerUnknown);
  addJsonBody(app, options.bodyLimit);
  addQueryNames(app);
  addDocumentation(app, options);
  await app.register(async (scope) => {
    // Before zod, which would silently drop such a key.
    scope.addHook('preValidation', async (request) => refusePoison(request.body, []));
    options.control(scope);
  });
  await app.register(async (scope) => {
    // The schemas document these routes. Each handler validates its body itself, because most of it is forwarded unread.
    scope.setValidatorCompiler(() => () => true);
    // Keys may call these routes only; a call writes no row.
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, keys: true, writes: 'none' };
    });
    options.calls(scope);
  });
  await app.ready();
  return app;
}
