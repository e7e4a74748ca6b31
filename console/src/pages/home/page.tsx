/** Home: the checklist of a fresh installation, the last 24 hours, and one line to copy. */
import { Skeleton } from 'antd';
import { type ReactNode, useState } from 'react';
import { useSeries } from '../../api/series.ts';
import { Can, CanAct, useCan } from '../../components/can.tsx';
import { CodeBlock } from '../../components/code-block.tsx';
import { codeSample } from '../../components/code-samples.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { useModelNames } from '../../components/model-names.ts';
import { PageHeader } from '../../components/page-header.tsx';
import { UsageCards } from '../../components/usage-cards.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { Checklist } from './checklist.tsx';
import { HealthLine } from './health-line.tsx';
import { HourlyCalls } from './hourly-calls.tsx';
import { texts } from './texts.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

function Snippet(): ReactNode {
  const t = useTexts(texts);
  const { names } = useModelNames();
  const body = { model: names[0] ?? 'demo/echo', stream: true, messages: [{ role: 'user', content: 'Hello' }] };
  return (
    <section>
      <h2 className="drawer-heading">{t('snippet')}</h2>
      <CodeBlock label="curl" text={codeSample('curl', body)} />
    </section>
  );
}

export function HomePage(): ReactNode {
  const t = useTexts(texts);
  const [openedAt] = useState(() => Date.now());
  const from = new Date(Math.ceil(openedAt / hourMs) * hourMs - dayMs).toISOString();
  const report = useSeries({ from, step: 'hour' });
  const seesAll = useCan('administrator');
  return (
    <>
      <PageHeader title={t('title')} purpose={t('purpose')} />
      <Can right="administrator">
        <CanAct>
          <Checklist hasCalls={(report.data?.total.calls ?? 0) > 0} />
        </CanAct>
      </Can>
      <h2 className="drawer-heading">{t(seesAll ? 'dayAll' : 'dayOwn')}</h2>
      {report.error !== null && <ErrorState error={report.error} onRetry={() => void report.refetch()} />}
      {report.isPending && <Skeleton active paragraph={{ rows: 2 }} />}
      {report.data !== undefined && <UsageCards total={report.data.total} />}
      <Can right="llm:model:view">
        <HealthLine />
      </Can>
      {report.data !== undefined && <HourlyCalls report={report.data} />}
      <Can right="llm:model:use">
        <Snippet />
      </Can>
    </>
  );
}
