/** The filters of the ledger. They are part of the address, so that a view can be shared. */
import { Select, Switch } from 'antd';
import type { ReactNode } from 'react';
import { outcomes } from '../../api/runs.ts';
import { useCan } from '../../components/can.tsx';
import { TextFilter } from '../../components/text-filter.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

export const filterNames = ['outcome', 'capability', 'user', 'error', 'request_id', 'since'] as const;
export type FilterName = (typeof filterNames)[number];
export type Filters = Readonly<Partial<Record<FilterName, string>>>;

/** Hours before now, by the value in the address. */
export const periods: Readonly<Record<string, number>> = { hour: 1, day: 24, week: 24 * 7, month: 24 * 30 };

interface FiltersProps {
  readonly filters: Filters;
  readonly isLive: boolean;
  readonly onChange: (change: Readonly<Partial<Record<FilterName, string>>>) => void;
  readonly onLive: (isLive: boolean) => void;
}

export function CallFilters({ filters, isLive, onChange, onLive }: FiltersProps): ReactNode {
  const t = useTexts(texts);
  const seesAll = useCan('administrator');
  const fields: readonly FilterName[] = seesAll ? ['capability', 'user', 'error', 'request_id'] : ['capability', 'error', 'request_id'];
  return (
    <>
      <Select
        className="text-filter"
        allowClear
        aria-label={t('outcome')}
        placeholder={t('outcome')}
        value={filters.outcome ?? null}
        options={outcomes.map((each) => ({ value: each, label: t(`outcome.${each}`) }))}
        onChange={(next: string | undefined) => onChange({ outcome: next ?? '' })}
      />
      <Select
        className="text-filter"
        allowClear
        aria-label={t('period')}
        placeholder={t('period')}
        value={filters.since ?? null}
        options={Object.keys(periods).map((each) => ({ value: each, label: t(`period.${each as 'hour'}`) }))}
        onChange={(next: string | undefined) => onChange({ since: next ?? '' })}
      />
      {fields.map((name) => (
        <TextFilter
          key={`${name} ${filters[name] ?? ''}`}
          label={t(`filter.${name as 'user'}`)}
          value={filters[name] ?? ''}
          onEnter={(text) => onChange({ [name]: text })}
        />
      ))}
      <label className="call-live">
        <Switch size="small" checked={isLive} onChange={onLive} aria-label={t('live')} /> {t('live')}
      </label>
    </>
  );
}
