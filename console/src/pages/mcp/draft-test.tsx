/** Tests the unsaved draft: connects, and lists what the service offers. */
import { useMutation } from '@tanstack/react-query';
import { Alert, Button, Card } from 'antd';
import type { ReactNode } from 'react';
import { call } from '../../api/client.ts';
import type { Spec } from '../../api/rows.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { FailedTest, type TestError } from '../../components/failed-test.tsx';
import { Revealed } from '../../components/revealed.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface Verdict {
  readonly ok: boolean;
  readonly duration_ms: number;
  readonly tools?: readonly { readonly name: string; readonly description: string }[];
  readonly resources?: number;
  readonly prompts?: number;
  readonly problems?: readonly string[];
  readonly error?: TestError;
}

function Offer({ verdict }: { readonly verdict: Verdict }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const { tools = [], resources = 0, prompts = 0, problems = [] } = verdict;
  const duration = format.duration(verdict.duration_ms);
  return (
    <Alert
      type={problems.length === 0 ? 'success' : 'warning'}
      showIcon
      title={t('testGood', { duration, tools: tools.length, resources, prompts })}
      description={
        <ul className="plain-list" translate="no">
          {tools.map(({ name, description }) => (
            <li key={name}>
              <code>{name}</code> {description.slice(0, 200)}
            </li>
          ))}
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      }
    />
  );
}

interface DraftTestProps {
  readonly spec: Spec;
  /** The stored server, whose secrets the draft keeps. */
  readonly stored: string | undefined;
}

export function DraftTest({ spec, stored }: DraftTestProps): ReactNode {
  const t = useTexts(texts);
  const test = useMutation({
    mutationFn: () => call<Verdict>('POST', '/api/mcp-servers/test', { body: { spec, ...(stored === undefined ? {} : { name: stored }) } }),
  });
  return (
    <Card size="small" title={t('testTitle')}>
      <p className="form-help">{t('testHelp')}</p>
      <p>
        <Button loading={test.isPending} onClick={() => test.mutate()}>
          {t('test')}
        </Button>
      </p>
      {test.error !== null && <ErrorState error={test.error} />}
      {test.data?.error !== undefined && !test.isPending && <FailedTest error={test.data.error} durationMs={test.data.duration_ms} />}
      {test.data?.ok === true && !test.isPending && (
        <Revealed>
          <Offer verdict={test.data} />
        </Revealed>
      )}
    </Card>
  );
}
