/** The setting `PAILOU_TIME_ZONE`: the time zone of budgets that name none, for all tenants and for single ones. */
import { timeZoneField } from '../types/price-spec.ts';

/** The time zone of a tenant. */
export type TimeZones = (tenant: string) => string;

export const alwaysUtc: TimeZones = () => 'UTC';

/** Parses `Asia/Shanghai` or `Asia/Shanghai, acme=Europe/Berlin`. Undefined when a part is invalid or occurs twice. */
export function parseTimeZones(text: string): TimeZones | undefined {
  const zones = new Map<string, string>();
  for (const part of text.split(',')) {
    const mark = part.lastIndexOf('=');
    const tenant = mark < 0 ? '' : part.slice(0, mark).trim();
    const zone = timeZoneField.safeParse(part.slice(mark + 1).trim());
    if (!zone.success || zones.has(tenant) || (mark >= 0 && tenant === '')) return undefined;
    zones.set(tenant, zone.data);
  }
  const others = zones.get('') ?? 'UTC';
  return (tenant) => (tenant === '' ? others : (zones.get(tenant) ?? others));
}
