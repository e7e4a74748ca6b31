/** A test run of a skill: input by its schema, the output, and what it cost. */
import { CaretRightOutlined, StopOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Alert, Button, Form, Select, Skeleton, Space, Tag } from 'antd';
import { type ReactNode, useRef, useState } from 'react';
import type { FormSchema } from '../../api/kinds.ts';
import type { Row, Spec } from '../../api/rows.ts';
import { ActButton } from '../../components/act-button.tsx';
import { ActForm } from '../../components/act-form.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { Revealed } from '../../components/revealed.tsx';
import { missingFields } from '../../components/schema-form/schema.ts';
import { texts as formTexts } from '../../components/schema-form/texts.ts';
import { SchemaInput } from '../../components/schema-input.tsx';
import { CallTrace } from '../../components/waterfall/call-trace.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { runSkill, type SkillCase, type SkillRun, type SkillSpec, useInputSchema, useVersions } from './skill-api.ts';
import { RunCost } from './run-cost.tsx';
import { texts } from './texts.ts';

interface TryTabProps {
  readonly row: Row<SkillSpec>;
  readonly isDirty: boolean;
  readonly canChange: boolean;
  /** Adds a case to the form, where it can be seen and saved. */
  readonly onCase: (one: SkillCase) => void;
}

const statusColors = { completed: 'success', incomplete: 'warning', failed: 'error', cancelled: 'default' } as const;

interface RunFormProps {
  readonly reference: string;
  readonly schema: FormSchema;
  readonly onCase: ((one: SkillCase) => void) | undefined;
}

function Output({ run }: { readonly run: SkillRun }): ReactNode {
  const t = useTexts(texts);
  return (
    <section aria-label={t('output')} className="output-frame">
      <Space wrap>
        <Tag color={statusColors[run.status]}>{t(`status.${run.status}`)}</Tag>
        <span>
          {t('ranVersion')} <code translate="no">{run.version}</code>
        </span>
      </Space>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long lines are scrolled by keyboard */}
      <pre tabIndex={0} className="wrap" translate="no">
        {typeof run.output === 'string' ? run.output : JSON.stringify(run.output, null, 2)}
      </pre>
    </section>
  );
}

function RunForm({ reference, schema, onCase }: RunFormProps): ReactNode {
  const t = useTexts(texts);
  const tf = useTexts(formTexts);
  const [input, setInput] = useState<Spec>({});
  const [checked, setChecked] = useState(false);
  const running = useRef<AbortController | null>(null);
  const run = useMutation({
    mutationFn: (given: Spec) => {
      running.current = new AbortController();
      return runSkill(reference, given, running.current.signal);
    },
  });
  const missing = missingFields(schema, input);
  const problems = checked ? Object.fromEntries(missing.map((path) => [path, tf('required')])) : {};
  const start = (): void => {
    setChecked(true);
    if (missing.length === 0) run.mutate(input);
  };
  const hasFailed = run.error !== null && run.error.name !== 'AbortError';
  return (
    <>
      <ActForm layout="vertical" onFinish={start}>
        <SchemaInput schema={schema} value={input} onChange={setInput} problems={problems} />
        <Space wrap>
          <ActButton type="primary" htmlType="submit" icon={<CaretRightOutlined aria-hidden />} loading={run.isPending}>
            {t('run')}
          </ActButton>
          {run.isPending && (
            <Button icon={<StopOutlined aria-hidden />} onClick={() => running.current?.abort()}>
              {t('stop')}
            </Button>
          )}
          {run.data !== undefined && !run.isPending && onCase !== undefined && (
            <Button onClick={() => onCase({ name: `case-${Date.now()}`, input, expect: { equals: run.data.output } })}>
              {t('asCase')}
            </Button>
          )}
        </Space>
      </ActForm>
      {hasFailed && <ErrorState error={run.error} />}
      {run.data !== undefined && !run.isPending && (
        <>
          <Revealed>
            <Output run={run.data} />
            <RunCost id={run.data.id} />
          </Revealed>
          <CallTrace key={run.data.id} id={run.data.id} />
        </>
      )}
    </>
  );
}

export function TryTab({ row, isDirty, canChange, onCase }: TryTabProps): ReactNode {
  const t = useTexts(texts);
  const versions = useVersions(row.name);
  const manages = row.partial !== true;
  const [chosen, setChosen] = useState(manages ? 'draft' : 'live');
  const reference = chosen === 'live' ? row.name : `${row.name}@${chosen}`;
  const schema = useInputSchema(reference, row.revision);
  const options = [
    ...(manages ? [{ value: 'draft', label: t('draft') }] : []),
    { value: 'live', label: t('liveNow', { version: row.spec.live ?? t('unversioned') }) },
    ...(versions.data ?? []).map(({ version }) => ({ value: version, label: <span translate="no">{version}</span> })),
  ];
  return (
    <>
      <Form.Item label={t('whichVersion')} htmlFor="try-version" layout="vertical">
        <Select id="try-version" aria-label={t('whichVersion')} value={chosen} options={options} onChange={setChosen} />
      </Form.Item>
      {isDirty && chosen === 'draft' && <Alert type="info" showIcon title={t('unsaved')} className="drawer-note" />}
      {schema.error !== null && <ErrorState error={schema.error} onRetry={() => void schema.refetch()} />}
      {schema.isPending && <Skeleton active />}
      {schema.data !== undefined && (
        <RunForm key={reference} reference={reference} schema={schema.data} onCase={canChange ? onCase : undefined} />
      )}
    </>
  );
}
