/** The cases of a skill as a table: what is given, what is expected, and how each model did. */
import { CaretRightOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Alert, Form, Select, Space, Tag } from 'antd';
import { type ReactNode, useState } from 'react';
import type { Row } from '../../api/rows.ts';
import { ActButton } from '../../components/act-button.tsx';
import { ActForm } from '../../components/act-form.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { useModelNames } from '../../components/model-names.ts';
import { nameOptions } from '../../components/name-options.tsx';
import { FittingTable } from '../../components/fitting-table.tsx';
import { HelpText } from '../../components/schema-form/help-text.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { type CaseResult, evaluate, type SkillCase, type SkillSpec } from './skill-api.ts';
import { texts } from './texts.ts';

interface CaseRow {
  readonly key: string;
  readonly one: SkillCase;
  readonly result: CaseResult | undefined;
}

const json = (value: unknown): ReactNode => (
  <code className="wrap">{value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value)}</code>
);

/** Those of the expectations that say something. */
function expected({ expect = {} }: SkillCase): unknown {
  return Object.fromEntries(Object.entries(expect).filter(([, value]) => !Array.isArray(value) || value.length > 0));
}

function Verdict({ result }: { readonly result: CaseResult | undefined }): ReactNode {
  const t = useTexts(texts);
  if (result === undefined) return '–';
  return (
    <>
      <Tag color={result.passed ? 'success' : 'error'}>{t(result.passed ? 'passed' : 'failed')}</Tag>
      {result.fault !== null && (
        <div className="wrap" translate="no">
          {result.fault}
        </div>
      )}
      {result.run !== null && (
        <div>
          <Link to="/calls" search={{ open: result.run }}>
            {t('trace')}
          </Link>
        </div>
      )}
    </>
  );
}

export function CasesTab({ row, isDirty }: { readonly row: Row<SkillSpec>; readonly isDirty: boolean }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [models, setModels] = useState<readonly string[]>([]);
  const { names } = useModelNames();
  const trial = useMutation({ mutationFn: () => evaluate(row.name, models) });
  const cases = row.spec.cases ?? [];
  if (cases.length === 0) return <EmptyState title={t('noCases')} help={t('noCasesHelp')} />;
  const results = trial.data?.data;
  const rows = cases.flatMap((one): CaseRow[] => {
    const own = results?.filter((each) => each.case === one.name) ?? [];
    if (own.length === 0) return [{ key: one.name, one, result: undefined }];
    return own.map((result) => ({ key: `${one.name} ${result.model}`, one, result }));
  });
  return (
    <>
      <ActForm layout="vertical" onFinish={() => trial.mutate()}>
        <Form.Item label={t('withModels')} htmlFor="case-models" extra={<HelpText text={t('withModelsHelp', { model: row.spec.model })} />}>
          <Select
            id="case-models"
            mode="multiple"
            maxCount={10}
            aria-label={t('withModels')}
            value={[...models]}
            options={nameOptions(names.filter((name) => !name.startsWith('skill/')))}
            onChange={setModels}
          />
        </Form.Item>
        <Space wrap>
          <ActButton type="primary" htmlType="submit" icon={<CaretRightOutlined aria-hidden />} loading={trial.isPending}>
            {t('runCases')}
          </ActButton>
          {trial.data !== undefined && (
            <output>{t('score', { passed: trial.data.passed, all: trial.data.passed + trial.data.failed })}</output>
          )}
        </Space>
      </ActForm>
      {isDirty && <Alert type="info" showIcon title={t('unsaved')} className="drawer-note" />}
      {trial.error !== null && <ErrorState error={trial.error} />}
      <FittingTable<CaseRow>
        label={t('cases')}
        width={760}
        className="skill-cases"
        rowKey="key"
        rows={rows}
        columns={[
          { title: t('case'), width: 110, render: ({ one }) => <span translate="no">{one.name}</span> },
          { title: t('input'), width: 190, render: ({ one }) => json(one.input) },
          { title: t('expected'), width: 180, render: ({ one }) => json(expected(one)) },
          { title: t('result'), width: 150, render: ({ result }) => <Verdict result={result} /> },
          { title: t('model'), width: 110, render: ({ result }) => <code>{result?.model ?? row.spec.model}</code> },
          {
            title: t('spent'),
            width: 100,
            align: 'right',
            render: ({ result }) =>
              result !== undefined && (
                <>
                  {t('tokenCount', { count: format.number(result.tokens) })}
                  <br />
                  {result.cost === null ? t('noPrice') : format.money(result.cost, result.currency)}
                  <br />
                  {format.duration(result.ms)}
                </>
              ),
          },
        ]}
      />
    </>
  );
}
