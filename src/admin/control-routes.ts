/** The route table of the control API. */
import type { FastifyInstance } from 'fastify';
import type { CallServices } from '../application/services.ts';
import type { ConfigService } from '../config/service.ts';
import type { McpGate } from '../extensions/mcp/gate/gate.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { AuditVerdict } from '../storage/audit-chain.ts';
import type { ApiKeyUsage } from '../storage/api-key-usage.ts';
import type { NodeRegistry } from '../storage/node-registry.ts';
import type { PeopleReader } from '../storage/people-reader.ts';
import type { Revocations } from '../storage/revocations.ts';
import type { RollupReader } from '../storage/rollup-reader.ts';
import type { RunReader } from '../storage/run-reader.ts';
import type { UsageReader } from '../storage/usage-reader.ts';
import { addAccessMatrix } from './access-matrix.ts';
import { addAudit } from './audit.ts';
import { addCatalogue } from './catalogue.ts';
import { collections } from './collections.ts';
import { addConfiguration } from './configuration.ts';
import { addConfigurationFiles } from './configuration-files.ts';
import { addConnectionTests } from './connection-test.ts';
import type { SubjectReader } from './grant-warnings.ts';
import { addGrants } from './grants.ts';
import { addKeys } from './keys.ts';
import { addKinds } from './kinds.ts';
import { addMcpAccounts } from './mcp-accounts.ts';
import { addMcpHealth } from './mcp-health.ts';
import { addMcpItems } from './mcp-items.ts';
import { addModelDiscovery } from './model-discovery.ts';
import { addOwnership } from './ownership.ts';
import { addCollection } from './resources.ts';
import { addPeople } from './people.ts';
import { addReports } from './reports.ts';
import { addRuns } from './runs.ts';
import { addSkillEvaluation } from './skill-evaluation.ts';
import { addSkillFolders } from './skill-folders.ts';
import { addSkillPublishing } from './skill-publishing.ts';
import { addSkillRunsAs } from './skill-runs-as.ts';
import { addSkillVersions } from './skill-versions.ts';
import { addUsage } from './usage.ts';

export interface ControlServices {
  readonly config: ConfigService;
  readonly calls: CallServices;
  readonly audit: AuditLog;
  readonly verifyAudit: () => Promise<AuditVerdict>;
  readonly gate: McpGate;
  readonly runs: RunReader;
  readonly nodes: NodeRegistry;
  readonly usage: UsageReader;
  readonly rollups: RollupReader;
  readonly people: PeopleReader;
  readonly revocations: Revocations;
  readonly subjects: SubjectReader;
  /** Null when keys are switched off. */
  readonly apiKeyUsage: ApiKeyUsage | null;
}

export function addControl(app: FastifyInstance, services: ControlServices): void {
  for (const collection of collections) addCollection(app, services.config, collection);
  addKinds(app, services.config);
  addCatalogue(app, services.config.catalogue);
  addOwnership(app, services.config, services.people);
  addGrants(app, services.config, services.subjects);
  addPeople(app, { people: services.people, revocations: services.revocations, names: services.config.people, audit: services.audit });
  addAccessMatrix(app, services.config, services.people);
  if (services.apiKeyUsage !== null) addKeys(app, services.config, services.apiKeyUsage);
  addMcpItems(app, services.config, services.calls, services.audit);
  addMcpAccounts(app, services.config, services.calls, services.audit);
  addMcpHealth(app, services.config, services.calls, services.gate, services.audit);
  addModelDiscovery(app, services.config, services.calls);
  addConnectionTests(app, services.config, services.calls);
  addConfiguration(app, services.config, services.nodes);
  addConfigurationFiles(app, services.config);
  addAudit(app, { audit: services.audit, names: services.config.people, verify: services.verifyAudit });
  addRuns(app, services.runs, services.config.people);
  addSkillFolders(app, services.config);
  addSkillEvaluation(app, services.calls);
  addSkillVersions(app, services.config);
  addSkillRunsAs(app, services.config);
  addSkillPublishing(app, services.config, services.calls);
  addUsage(app, services.usage, services.config.people);
  addReports(app, services.rollups, services.config.people);
}
