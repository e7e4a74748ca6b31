/** Calls: the ledger with filters in the address, page by page by keyset, live on request; one call as a waterfall. */
import { Button } from 'antd';
import { type ReactNode, useMemo, useState } from 'react';
import { Link } from '@tanstack/react-router';
import { useLiveRuns } from '../../api/live-runs.ts';
import { between, type Run } from '../../api/runs.ts';
import { usePaged } from '../../api/rows.ts';
import { useIsViewing } from '../../api/view-as.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { CallDrawer } from './call-drawer.tsx';
import './calls.css';
import { CallFilters, filterNames, periods } from './filters.tsx';
import { OutcomeTag } from './outcome-tag.tsx';
import { texts } from './texts.ts';

const rowsAtOnce = 100;
/** How often a live list asks while its stream is not open. */
const pollMs = 2_000;
const hourMs = 3_600_000;

/** The beginning of the period, to the minute, so that a reload within a minute asks the same. */
function beginOf(since: string | undefined, now: number): string | undefined {
  const hours = since === undefined ? undefined : periods[since];
  if (hours === undefined) return undefined;
  return new Date(Math.floor((now - hours * hourMs) / 60_000) * 60_000).toISOString();
}

export function CallsPage(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ open, live, since, ...filters }, setSearch] = useSearchState('open', 'live', ...filterNames);
  const [openedAt] = useState(() => Date.now());
  const isLive = live === 'yes';
  const asked = { ...filters, from: beginOf(since, openedAt) };
  // A browser sends no header with an event stream, so a view as another person asks for the list.
  const isViewing = useIsViewing();
  const isStreaming = useLiveRuns(asked, rowsAtOnce, isLive && !isViewing);
  const query = usePaged<Run>('/api/runs', asked, { limit: rowsAtOnce, isLive, everyMs: isLive && !isStreaming ? pollMs : null });
  const isFiltered = since !== undefined || Object.keys(filters).length > 0;

  const columns = useMemo(
    (): readonly Column<Run>[] => [
      {
        key: 'started',
        title: t('started'),
        width: 170,
        fixed: 'start',
        render: (run) => (
          <Button type="link" size="small" className="row-name" onClick={() => setSearch({ open: run.id })}>
            {format.dateTime(run.started_at)}
          </Button>
        ),
      },
      { key: 'outcome', title: t('outcome'), width: 90, render: (run) => <OutcomeTag outcome={run.outcome} error={run.error} /> },
      { key: 'capability', title: t('filter.capability'), width: 200, render: (run) => <code translate="no">{run.capability}</code> },
      { key: 'person', title: t('person'), width: 120, render: (run) => <span translate="no">{run.username ?? run.subject}</span> },
      {
        key: 'duration',
        title: t('duration'),
        width: 90,
        align: 'right',
        render: (run) => format.duration(between(run.started_at, run.ended_at)),
      },
      {
        key: 'first',
        title: t('firstToken'),
        width: 100,
        align: 'right',
        render: (run) => format.duration(between(run.started_at, run.first_token_at)),
      },
      {
        key: 'tokens',
        title: t('tokens'),
        width: 120,
        align: 'right',
        render: ({ usage }) =>
          usage === null
            ? '–'
            : `${usage.estimated ? '≈ ' : ''}${format.short(usage.input_tokens)} / ${format.short(usage.output_tokens ?? 0)}`,
      },
      { key: 'cost', title: t('cost'), width: 110, align: 'right', render: (run) => format.money(run.cost, run.currency) },
    ],
    [t, format, setSearch],
  );
  return (
    <>
      <PageHeader title={t('title')} purpose={t('purpose')} />
      <div className="table-tools">
        <CallFilters
          filters={{ ...filters, ...(since === undefined ? {} : { since }) }}
          isLive={isLive}
          onChange={setSearch}
          onLive={(next) => setSearch({ live: next ? 'yes' : '' })}
        />
      </div>
      <ResourceTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={({ id }) => id}
        empty={
          isFiltered ? (
            <EmptyState title={t('noMatch')} />
          ) : (
            <EmptyState title={t('emptyTitle')} help={t('emptyHelp')} action={<Link to="/playground">{t('tryOne')}</Link>} />
          )
        }
      />
      {open !== undefined && <CallDrawer id={open} onClose={() => setSearch({ open: undefined })} />}
    </>
  );
}
