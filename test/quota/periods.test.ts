/** Days, weeks and months in a time zone. */
import { describe, expect, it } from 'vitest';
import { periodOf, type SpendUnit } from '../../src/quota/periods.ts';

const text = (unit: SpendUnit, zone: string, now: string): string[] => {
  const { name, from, until } = periodOf(unit, zone, Date.parse(now));
  return [name, new Date(from).toISOString(), new Date(until).toISOString()];
};

describe('a period', () => {
  it('of Shanghai begins at 00:00 there', () => {
    expect(text('day', 'Asia/Shanghai', '2026-12-01T15:59:59Z')).toEqual([
      'day:2026-12-01',
      '2026-11-30T16:00:00.000Z',
      '2026-12-01T16:00:00.000Z',
    ]);
    expect(text('day', 'Asia/Shanghai', '2026-12-01T16:00:00Z')[0]).toBe('day:2026-12-02');
    expect(text('month', 'Asia/Shanghai', '2026-12-31T16:00:00Z')).toEqual([
      'month:2027-01',
      '2026-12-31T16:00:00.000Z',
      '2027-01-31T16:00:00.000Z',
    ]);
  });

  it('of a week begins on Monday', () => {
    expect(text('week', 'UTC', '2026-12-06T23:59:59Z')).toEqual([
      'week:2026-11-30',
      '2026-11-30T00:00:00.000Z',
      '2026-12-07T00:00:00.000Z',
    ]);
    expect(text('week', 'America/New_York', '2026-12-07T04:59:59Z')[0]).toBe('week:2026-11-30');
  });

  it('is an hour shorter or longer when the clocks change', () => {
    expect(text('day', 'Europe/Berlin', '2026-03-29T12:00:00Z').slice(1)).toEqual(['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z']);
    expect(text('day', 'Europe/Berlin', '2026-10-25T12:00:00Z').slice(1)).toEqual(['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z']);
  });

  it('of the total never ends, and periods in UTC keep their keys', () => {
    expect(text('total', 'UTC', '2026-12-01T00:00:00Z')).toEqual(['total', '1970-01-01T00:00:00.000Z', '9999-01-01T00:00:00.000Z']);
    expect(text('day', 'UTC', '2026-12-01T10:00:00Z')).toEqual(['day:2026-12-01', '2026-12-01T00:00:00.000Z', '2026-12-02T00:00:00.000Z']);
    expect(text('month', 'UTC', '2026-12-01T10:00:00Z')[0]).toBe('month:2026-12');
  });
});

it('every period begins at a full quarter of an hour, in every time zone', () => {
  const at = Date.UTC(2026, 11, 1, 9);
  for (const zone of Intl.supportedValuesOf('timeZone'))
    for (const unit of ['day', 'week', 'month'] as const)
      for (const days of [0, 90, 180, 270]) expect([zone, periodOf(unit, zone, at + days * 86_400_000).from % 900_000]).toEqual([zone, 0]);
});
