/** The webhook of a limit on its way into a row: its address is checked, its secret is sealed. */
import { isIP } from 'node:net';
import { createAddressRules } from '../outbound/address-rules.ts';
import { isSealed, rowContext, type Sealed, type SecretBox } from '../storage/secret-box.ts';
import { budgetAlertsSpec } from '../types/budget-alerts.ts';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject } from '../types/json.ts';
import type { PluginServices } from '../types/plugin.ts';
import type { ConfigRow } from '../types/resources.ts';
import { requireSameAddresses } from './secret-address.ts';
import { hasMasked, restoreMasked, sealOptions } from './secret-fields.ts';

const place = 'spec.spend.alerts';

function alertsOf({ spend }: ConfigRow['spec']): unknown {
  return isJsonObject(spend) ? spend['alerts'] : undefined;
}

export function sealedAlertSecret(spec: ConfigRow['spec']): Sealed | null {
  const alerts = alertsOf(spec);
  return isJsonObject(alerts) && isSealed(alerts['secret']) ? alerts['secret'] : null;
}

/** Plain http is for private networks: no name service answers when a row is saved, so that only an address shows that it is one. */
function requireEncryption(url: URL): void {
  if (url.protocol === 'https:') return;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === 'localhost' || (isIP(host) !== 0 && createAddressRules([]).refuse(host) !== null)) return;
  const param = `${place}.url`;
  throw new GatewayError(
    'configuration_invalid',
    `${param}: must begin with https://; http is for private addresses such as http://10.0.0.5.`,
    {
      param,
    },
  );
}

/** The spec to store. Throws `configuration_invalid` for an address that Pailou may not connect to. */
export function prepareAlerts(
  spec: ConfigRow['spec'],
  row: { readonly tenant: string; readonly id: string },
  stored: ConfigRow | null,
  services: Pick<PluginServices, 'checkUrl'>,
  secrets: SecretBox,
): ConfigRow['spec'] {
  const alerts = alertsOf(spec);
  if (!isJsonObject(alerts) || typeof alerts['url'] !== 'string') return spec;
  requireEncryption(services.checkUrl(alerts['url'], `${place}.url`));
  const context = rowContext(row);
  const kept = stored === null ? undefined : alertsOf(stored.spec);
  const restored = restoreMasked(alerts, kept, budgetAlertsSpec, place);
  if (kept !== undefined && hasMasked(alerts, budgetAlertsSpec))
    requireSameAddresses(alerts, kept, { schema: budgetAlertsSpec, secrets, context, place });
  return { ...spec, spend: { ...(spec['spend'] as object), alerts: sealOptions(restored, budgetAlertsSpec, secrets, context) } };
}
