/** Computes what a row reaches beyond itself, from the row and the rows of its tenant. */
import { createHash } from 'node:crypto';
import type { Capability } from '../types/access.ts';
import { toGatewayError } from '../types/errors.ts';
import type { ConfigRow, ResourceKind } from '../types/resources.ts';
import type { GrantedReach, PriceReach, ProviderReach, Reach } from '../types/writes.ts';
import { readGrantReference } from './grant-reference.ts';
import type { InstanceFactory, RowPluginType } from './instances.ts';
import { addressesOf } from './option-addresses.ts';
import { parseSpec } from './parse-spec.ts';
import { capabilityOfRow } from './row-capability.ts';
import type { RowSet } from './row-set.ts';

/** Kinds of rows whose `spec.kind` names a plugin with options. */
export const pluginTypes: Readonly<Partial<Record<ResourceKind, RowPluginType>>> = {
  provider: 'provider',
  skill: 'skill',
  mcp: 'tool-source',
};

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 16);

/** True if the provider's row lets others than its owner have this model of the vendor. */
function isOffered(provider: ConfigRow, model: string): boolean {
  const offered = provider.spec['offered_models'] as readonly string[] | null | undefined;
  return offered == null || offered.some((each) => (each.endsWith('*') ? model.startsWith(each.slice(0, -1)) : each === model));
}

/** The reaches of one deployment: its provider, and its price. */
export function deploymentReaches(
  { provider: name, model, price }: { readonly provider: string; readonly model: string; readonly price?: unknown },
  index: number,
  providers: ReadonlyMap<string, ConfigRow>,
): { readonly provider: ProviderReach; readonly price: PriceReach | null } {
  const row = providers.get(name);
  const thing = row === undefined ? null : capabilityOfRow('provider', row);
  // A name that no provider has is never the id of one.
  const key = row === undefined ? `unknown ${name}/${model}` : `${row.id}/${model}`;
  const param = `spec.deployments[${index}]`;
  return {
    provider: {
      type: 'provider',
      key: `provider:${key}`,
      param: `${param}.provider`,
      name,
      model,
      thing,
      offered: row === undefined || isOffered(row, model),
    },
    price:
      price === undefined
        ? null
        : { type: 'price', key: `price:${key}:${digestOf(JSON.stringify(price))}`, param: `${param}.price`, name, thing },
  };
}

function modelReaches(row: ConfigRow, rows: RowSet): Reach[] {
  const providers = rows.group('provider', row.tenant);
  return parseSpec('model', row.spec).deployments.flatMap((deployment, index) => {
    const { provider, price } = deploymentReaches(deployment, index, providers);
    return price === null ? [provider] : [provider, price];
  });
}

/** The row that a grant is bound to; null for a pattern, a tag, and a missing row. */
function grantedThing({ tenant, target }: ConfigRow, capability: string, rows: RowSet): Capability | null {
  const reference = readGrantReference(capability);
  if (reference?.type !== 'thing' || capability.endsWith('*')) return null;
  const row = rows.group(reference.kind, tenant).get(reference.name);
  return row === undefined || (target != null && row.id !== target) ? null : capabilityOfRow(reference.kind, row);
}

function grantReaches(row: ConfigRow, rows: RowSet): GrantedReach[] {
  const { capability } = parseSpec('grant', row.spec);
  const thing = grantedThing(row, capability, rows);
  return [{ type: 'granted', key: `granted:${capability}`, capability, thing, param: 'spec.capability' }];
}

/** The reason why a developer may not connect to the address, as far as the address alone shows. */
function addressRefusal(url: string, param: string, factory: InstanceFactory): string | null {
  try {
    factory.developerServices.checkUrl(url, param);
    return null;
  } catch (thrown) {
    return toGatewayError(thrown).message;
  }
}

/** All reaches of `row`. Throws `configuration_invalid` for a row that no snapshot could hold. */
export function reachesOf(row: ConfigRow, rows: RowSet, factory: InstanceFactory): readonly Reach[] {
  if (row.kind === 'model') return modelReaches(row, rows);
  if (row.kind === 'grant') return grantReaches(row, rows);
  const type = pluginTypes[row.kind];
  if (type === undefined) return [];
  const { plugin, options } = factory.parsed(type, row);
  const acting = (plugin.reaches?.(options) ?? []).map((reach): Reach => ({
    type: reach,
    key: reach,
    kind: plugin.kind,
    param: 'spec.kind',
  }));
  const addresses = addressesOf(options, plugin.options).map(({ path, url, identity }): Reach => {
    const param = `spec.options.${path}`;
    // What leads somewhere without being a URL, such as a document: any change of it may lead elsewhere.
    if (url === null) return { type: 'address', key: `address:${path}:${digestOf(identity)}`, param, refusal: null };
    return {
      type: 'address',
      key: `address:${url.href}`,
      param,
      refusal: addressRefusal(url.href.replace(/^socks5h?:/, 'http:'), param, factory),
    };
  });
  // The address of the kind itself, such as a vendor's regional address.
  const vendor: Reach = { type: 'address', key: `address:${plugin.kind}`, param: 'spec.kind', refusal: null };
  return [...acting, vendor, ...addresses];
}
