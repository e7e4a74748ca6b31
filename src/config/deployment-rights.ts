/** Checks that the rights of a model's row still hold: to call each provider, and to set its price. */
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow, ModelSpec } from '../types/resources.ts';
import type { ModelEntry } from '../types/snapshot.ts';
import { basisEnds, basisOf } from './basis.ts';
import { deploymentReaches } from './reach.ts';
import type { RowSet } from './row-set.ts';

export interface DeploymentRights {
  /** Null for a right that holds; else the problem with its remedy. */
  readonly use: GatewayError | null;
  readonly price: GatewayError | null;
  /** The time at which the first right ends, in epoch milliseconds. */
  readonly until: number;
}

/** A right is gone. The rest of the row serves, and the change that withdraws the right is allowed. */
export class RightLost extends GatewayError {
  constructor(param: string, sentence: string) {
    super('configuration_invalid', `${param}: ${sentence}`, { param });
  }
}

type DeploymentSpec = ModelSpec['deployments'][number];

export function deploymentRights(row: ConfigRow, spec: DeploymentSpec, index: number, rows: RowSet, now: number): DeploymentRights {
  const { provider, price } = deploymentReaches(spec, index, rows.group('provider', row.tenant));
  const { name, thing, model } = provider;
  const ends = (key: string): number | null => basisEnds(basisOf(row, key), { row, thing, name, rows, now });
  const using = ends(provider.key);
  const mayUse = using !== null && (using === Infinity || provider.offered);
  const pricing = price === null ? Infinity : ends(price.key);
  return {
    use: mayUse
      ? null
      : new RightLost(
          provider.param,
          `the model may not use "${model}" of the provider "${name}": its writer has no right to it. Its owner or an administrator can grant provider/${name} (action use); then save the model again. Or an administrator saves the model.`,
        ),
    price:
      price === null || pricing !== null
        ? null
        : new RightLost(
            price.param,
            `the price is ignored, because its writer may not manage the provider "${name}". Leave it out, or let an administrator save the model.`,
          ),
    until: Math.min(using ?? Infinity, pricing ?? Infinity),
  };
}

/** The time at which the first right of the entry ends. */
export function rightsEnd({ spec }: ModelEntry, row: ConfigRow, rows: RowSet, now: number): number {
  return Math.min(Infinity, ...spec.deployments.map((each, index) => deploymentRights(row, each, index, rows, now).until));
}
