/** The route table of the control API. */
import type { FastifyInstance } from 'fastify';
import type { CallServices } from '../api/calls/services.ts';
import type { ConfigService } from '../config/service.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { KeyUses } from '../storage/key-uses.ts';
import type { NodeBook } from '../storage/nodes.ts';
import type { RunReader } from '../storage/runs.ts';
import type { UsageReader } from '../storage/usage.ts';
import { addAudit } from './audit.ts';
import { collections } from './collections.ts';
import { addConfiguration } from './configuration.ts';
import { addConnectionTests } from './connection-test.ts';
import { addGrants } from './grants.ts';
import { addKeys } from './keys.ts';
import { addCollection } from './resources.ts';
import { addRuns } from './runs.ts';
import { addUsage } from './usage.ts';

export interface ControlServices {
  readonly config: ConfigService;
  readonly calls: CallServices;
  readonly audit: AuditLog;
  readonly runs: RunReader;
  readonly nodes: NodeBook;
  readonly usage: UsageReader;
  /** Null where keys are switched off. */
  readonly keyUses: KeyUses | null;
}

export function addControl(app: FastifyInstance, services: ControlServices): void {
  for (const collection of collections) addCollection(app, services.config, collection);
  addGrants(app, services.config);
  if (services.keyUses !== null) addKeys(app, services.config, services.keyUses);
  addConnectionTests(app, services.config, services.calls);
  addConfiguration(app, services.config, services.nodes);
  addAudit(app, services.audit);
  addRuns(app, services.runs);
  addUsage(app, services.usage);
}
