/** Home: the checklist of a fresh installation, the last 24 hours, and one line to copy. */
import { Skeleton } from 'antd';
import { type ReactNode, useState } from 'react';
import { useSeries } from '../../api/series.ts';
import { useSession } from '../../api/session.ts';
import { Can, useCan } from '../../components/can.tsx';
import { CodeBlock } from '../../components/code-block.tsx';
import { codeSample } from '../../components/code-samples.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { useModelNames } from '../../components/model-names.ts';
import { PageHeader } from '../../components/page-header.tsx';
import { UsageCards } from '../../components/usage-cards.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { Checklist } from './checklist.tsx';
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
  const { data: me } = useSession();
  const [openedAt] = useState(() => Date.now());
  const from = new Date(Math.ceil(openedAt / hourMs) * hourMs - dayMs).toISOString();
  const report = useSeries({ from, step: 'hour' });
  const seesAll = useCan('administrator');
  return (
    <>
      <PageHeader title={t('title')} purpose={t('purpose')} />
      <p>
        {t('hello')} <span translate="no">{me?.username}</span>
      </p>
      <Can right="administrator">
        <Checklist hasCalls={(report.data?.total.calls ?? 0) > 0} />
      </Can>
      <h2 className="drawer-heading">{t(seesAll ? 'dayAll' : 'dayOwn')}</h2>
      {report.error !== null && <ErrorState error={report.error} onRetry={() => void report.refetch()} />}
      {report.isPending && <Skeleton active paragraph={{ rows: 2 }} />}
      {report.data !== undefined && <UsageCards total={report.data.total} />}
      <Can right="llm:model:use">
        <Snippet />
      </Can>
    </>
  );
}
