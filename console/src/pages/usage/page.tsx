/** Usage: calls, tokens, money and latency over time, by model, person, key and more; own numbers, those of a team for its administrators, for administrators all. */
import { DownloadOutlined } from '@ant-design/icons';
import { Link } from '@tanstack/react-router';
import { Segmented, Select, Skeleton } from 'antd';
import { type ReactNode, useMemo, useState } from 'react';
import { queryOf } from '../../api/client.ts';
import { type Measures, pointStarts, type Series, useSeries } from '../../api/series.ts';
import { BudgetBars } from '../../components/budget-bars.tsx';
import { useCan } from '../../components/can.tsx';
import { DownloadButton } from '../../components/download-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { FittingTable } from '../../components/fitting-table.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { seriesColors, StackedBars } from '../../components/stacked-bars.tsx';
import { costText, UsageCards } from '../../components/usage-cards.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { beginOf, measures, type MeasureName, type Period, periods } from './periods.ts';
import { Scope } from './scope.tsx';
import { texts } from './texts.ts';

const dimensions = ['model', 'user', 'team', 'key', 'skill', 'provider', 'deployment', 'client', 'error'] as const;
type Dimension = (typeof dimensions)[number];
/** Dimensions that `/api/usage` has, for the file. */
const inFiles: ReadonlySet<string> = new Set(['model', 'user', 'team', 'key', 'client', 'skill']);

/** What a report of one team is not split by. */
const notOfTeams: ReadonlySet<Dimension> = new Set(['team', 'provider', 'deployment']);

export function UsagePage(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const seesAll = useCan('administrator');
  const [search, setSearch] = useSearchState('period', 'by', 'measure', 'team');
  const [openedAt] = useState(() => Date.now());
  const period = periods.find((each) => each === search.period) ?? 'week';
  const { team } = search;
  // The sums of a team have its people, but no attempts of deployments and providers.
  const offered = dimensions.filter((each) => (team === undefined ? seesAll || each !== 'user' : !notOfTeams.has(each)));
  const by = offered.find((each) => each === search.by) ?? 'model';
  const measure = measures.find((each) => each === search.measure) ?? 'calls';
  const { from, step } = beginOf(period, openedAt);
  const report = useSeries({ from, step, by, top: 10, team });
  // A call counts for each team of its caller, so the teams add up to more than the total.
  const whole = useSeries({ from, step }, by === 'team');
  const shownTotal = by === 'team' ? whole.data?.total : report.data?.total;

  const nameOf = (series: Series): string => (series.of === null ? t('others') : (series.of[by] ?? t('none')));
  const valueOf = (sums: Measures): number => measureOf(sums, measure);
  const shown = (value: number): string => (measure === 'p95' ? format.duration(value) : format.short(value));
  const starts = useMemo(() => (report.data === undefined ? [] : pointStarts(report.data)), [report.data]);
  const bars = (report.data?.series ?? []).map((series) => ({
    name: nameOf(series),
    values: new Map(series.points.map((point) => [point.start, valueOf(point)])),
  }));
  const file = `/api/usage${queryOf({ from: from.slice(0, 10), by: `day,${inFiles.has(by) ? by : 'model'}`, team, format: 'csv' })}`;

  return (
    <>
      <PageHeader
        title={t('title')}
        purpose={t(team !== undefined ? 'purposeTeam' : seesAll ? 'purposeAll' : 'purposeOwn')}
        actions={
          <DownloadButton icon={<DownloadOutlined aria-hidden />} path={file}>
            {t('csv')}
          </DownloadButton>
        }
      />
      <div className="table-tools">
        <Segmented<Period>
          aria-label={t('period')}
          value={period}
          options={periods.map((each) => ({ value: each, label: t(`period.${each}`) }))}
          onChange={(next) => setSearch({ period: next })}
        />
        <Scope team={team} seesAll={seesAll} onChange={(next) => setSearch({ team: next })} />
        <Select<Dimension>
          className="usage-choice"
          aria-label={t('by')}
          value={by}
          options={offered.map((each) => ({ value: each, label: t(`by.${each}`) }))}
          onChange={(next) => setSearch({ by: next })}
        />
        <Select<MeasureName>
          className="usage-choice"
          aria-label={t('measure')}
          value={measure}
          options={measures.map((each) => ({ value: each, label: t(`measure.${each}`) }))}
          onChange={(next) => setSearch({ measure: next })}
        />
      </div>
      {report.error !== null && <ErrorState error={report.error} onRetry={() => void report.refetch()} />}
      {report.isPending && <Skeleton active />}
      {report.data !== undefined && (
        <>
          {shownTotal !== undefined && <UsageCards total={shownTotal} />}
          {team === undefined && <BudgetBars />}
          {report.data.series.length === 0 ? (
            <EmptyState title={t(by === 'team' ? 'emptyTeams' : 'emptyTitle')} action={<Link to="/playground">{t('tryOne')}</Link>} />
          ) : (
            <>
              <StackedBars
                label={t(`measure.${measure}`)}
                starts={starts}
                series={bars}
                shown={shown}
                shownStart={(start) => (start === '' ? '' : format.dateTime(start).slice(0, step === 'day' ? 10 : 16))}
              />
              <FittingTable<Series>
                label={t('title')}
                width={760}
                rowKey={nameOf}
                rows={report.data.series}
                columns={[
                  {
                    title: t(`by.${by}`),

                    render: (series, index) => (
                      <>
                        <span className="usage-color" style={{ background: seriesColors[index % seriesColors.length] }} />
                        <span translate="no">{nameOf(series)}</span>
                      </>
                    ),
                  },
                  { title: t('calls'), align: 'right', render: ({ total }) => format.number(total.calls) },
                  { title: t('runs'), align: 'right', render: ({ total }) => format.number(total.runs) },
                  { title: t('failed'), align: 'right', render: ({ total }) => format.number(total.failed) },
                  { title: t('tokensIn'), align: 'right', render: ({ total }) => format.number(total.input_tokens) },
                  {
                    title: t('tokensOut'),

                    align: 'right',
                    render: ({ total }) => format.number(total.output_tokens),
                  },
                  { title: t('cost'), align: 'right', render: ({ total }) => costText(format, total.cost) },
                  {
                    title: t('measure.p95'),

                    align: 'right',
                    render: ({ total }) => format.duration(total.first_token.p95_ms),
                  },
                ]}
              />
            </>
          )}
        </>
      )}
    </>
  );
}

function measureOf(sums: Measures, measure: MeasureName): number {
  switch (measure) {
    case 'calls':
      return sums.calls;
    case 'failed':
      return sums.failed;
    case 'tokens':
      return sums.input_tokens + sums.output_tokens;
    case 'cost':
      return Object.values(sums.cost).reduce((sum, amount) => sum + amount, 0);
    case 'p95':
      return sums.first_token.p95_ms ?? 0;
  }
}
