/** One call over time: each run and each attempt as a bar, with what it took and how it ended. */
import { type ReactNode, useState } from 'react';
import type { RunTree } from '../../api/runs.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { RowDetails } from './row-details.tsx';
import { texts } from './texts.ts';
import './waterfall.css';
import { type WaterfallRow, waterfallRows } from './waterfall-rows.ts';

const percent = (share: number): string => `${(share * 100).toFixed(2)}%`;

function Bar({ row }: { readonly row: WaterfallRow }): ReactNode {
  return (
    <span className="wf-track">
      <span
        className={`wf-bar wf-${row.outcome} wf-kind-${row.kind}`}
        style={{ left: percent(Math.min(row.start, 0.995)), width: `max(3px, ${percent(Math.min(row.width, 1 - row.start))})` }}
      >
        {row.wait !== null && <span className="wf-wait" style={{ width: percent(row.wait) }} />}
      </span>
    </span>
  );
}

export function Waterfall({ tree }: { readonly tree: RunTree }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const rows = waterfallRows(tree);
  const [chosen, setChosen] = useState<string | null>(rows.find(({ outcome }) => outcome === 'error')?.key ?? null);
  return (
    <div className="wf">
      <p className="wf-legend">
        <span className="wf-key wf-wait" /> {t('legendWait')} <span className="wf-key wf-complete" /> {t('legendAnswer')}{' '}
        <span className="wf-key wf-error" /> {t('legendFailed')}
      </p>
      <ul>
        {rows.map((row) => (
          <li key={row.key}>
            <button
              type="button"
              className="wf-row"
              aria-expanded={chosen === row.key}
              onClick={() => setChosen(chosen === row.key ? null : row.key)}
            >
              <span className="wf-name" style={{ paddingLeft: row.depth * 14 }}>
                <span className="wf-kind">
                  {row.attempt === null
                    ? t(`operation.${row.operation === 'tool' ? 'tool' : 'run'}`)
                    : t('attempt', { number: row.attempt.number })}
                </span>{' '}
                <code translate="no">{row.title}</code>
              </span>
              <Bar row={row} />
              <span className="wf-time">
                {row.outcome !== 'complete' && <span className="wf-mark">{t(`outcome.${row.outcome}`)}</span>}{' '}
                {format.duration(row.milliseconds)}
              </span>
            </button>
            {chosen === row.key && <RowDetails row={row} />}
          </li>
        ))}
      </ul>
    </div>
  );
}
