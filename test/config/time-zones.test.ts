/** The setting of the time zones of budgets. */
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/config/settings.ts';
import { parseTimeZones } from '../../src/config/time-zones.ts';

const zonesOf = (text: string) => ['acme', 'other'].map((tenant) => parseTimeZones(text)?.(tenant));

describe('PAILOU_TIME_ZONE', () => {
  it.each([
    ['Asia/Shanghai', 'Asia/Shanghai', 'Asia/Shanghai'],
    ['acme=Europe/Berlin', 'Europe/Berlin', 'UTC'],
    [' acme = Europe/Berlin , Asia/Shanghai ', 'Europe/Berlin', 'Asia/Shanghai'],
  ])('%j is %s for acme and %s for others', (text, acme, other) => {
    expect(zonesOf(text)).toEqual([acme, other]);
  });

  it.each(['Asia/Shangai', 'UTC,UTC', 'acme=UTC,acme=UTC', '=UTC', 'acme=', ','])('%j stops the start and names the setting', (text) => {
    expect(() => readSettings({ PAILOU_TIME_ZONE: text })).toThrow(/PAILOU_TIME_ZONE: ".*" is not a time zone of the IANA database/);
  });

  it('is UTC when it is left out', () => {
    expect(readSettings({}).timeZones('acme')).toBe('UTC');
  });
});
