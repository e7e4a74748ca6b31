/** The HTTP face: one Fastify instance, its limits, and the order of its parts. */
import Fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Credentials } from '../auth/credentials.ts';
import { refusePoison } from '../config/validation-errors.ts';
import type { ConfigService } from '../config/service.ts';
import type { Quota } from '../quota/quota.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { Logger } from '../types/logger.ts';
import { addAdmission, requestId, requireDeclaredAccess } from './admission.ts';
import { addDocumentation, type DocumentationAudience } from './documentation.ts';
import { addErrorHandling, answerClientError } from './error-handling.ts';
import { addBodyAdmission } from './bodies/body-admission.ts';
import type { BodyBudget } from './bodies/body-budget.ts';
import { addJsonBody } from './bodies/json-body.ts';
import { createActiveRequests } from './active-requests.ts';

export interface ServerOptions {
  readonly credentials: Credentials;
  /** Where clients find this gateway, without a slash at the end. */
  readonly publicUrl: string;
  /** How often the rights of open calls are looked at again. */
  readonly recheckMs: number;
  /** How long bytes may wait for a caller who takes none. */
  readonly unreadMs: number;
  readonly config: ConfigService;
  readonly audit: AuditLog;
  /** Whose audit tells of callers of whom nobody knows the tenant. */
  readonly homeTenant: string;
  readonly logger: Logger;
  readonly bodyLimit: number;
  readonly bodyBudget: BodyBudget;
  /** How long a body may come too slowly. */
  readonly slowBodySeconds: number;
  readonly quota: Pick<Quota, 'arrive'>;
  readonly version: string;
  /** Calls back when somebody was blocked or signed out: what they have under way ends at once. */
  readonly onRevocation: (listener: () => void) => void;
  readonly docs: DocumentationAudience;
  /** Adds the routes whose bodies zod checks before the handler runs (the control API). */
  readonly control: (app: FastifyInstance) => void;
  /** Adds the routes that check their own bodies and pass them on (the calls). */
  readonly calls: (app: FastifyInstance) => void;
}

/** A server that is ready to listen. Throws if any route declares no access. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
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
    forceCloseConnections: 'idle',
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  requireDeclaredAccess(app);
  addAdmission(app, options.credentials, options.config);
  const activeRequests = createActiveRequests({ ...options, everyMs: options.recheckMs });
  options.onRevocation(() => activeRequests.revoked());
  app.decorate('activeRequests', activeRequests);
  app.decorate('unreadMs', options.unreadMs);
  app.decorate('publicUrl', options.publicUrl);
  app.addHook('onClose', async () => activeRequests.close());
  const answerUnknown = addErrorHandling(app, options);
  addBodyAdmission(app, options, answerUnknown);
  addJsonBody(app, options.bodyLimit);
  await addDocumentation(app, options.version, options.docs);
  await app.register(async (scope) => {
    // Before zod, which would take such a key out in silence.
    scope.addHook('preValidation', async (request) => refusePoison(request.body, []));
    options.control(scope);
  });
  await app.register(async (scope) => {
    // The schemas document these routes; each handler checks its body itself, because most of it passes through unread.
    scope.setValidatorCompiler(() => () => true);
    // Keys open calls and nothing else; a call writes no row.
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, keys: true, writes: 'none' };
    });
    options.calls(scope);
  });
  await app.ready();
  return app;
}
