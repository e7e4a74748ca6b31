/** Calls a tool, reads a resource or gets a prompt of the service through the gate, with a form made from its own schema. */
import { CaretRightOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Form, Select, Skeleton, Tag } from 'antd';
import { type ReactNode, useState } from 'react';
import type { Spec } from '../../api/rows.ts';
import { ActButton } from '../../components/act-button.tsx';
import { ActForm } from '../../components/act-form.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { Revealed } from '../../components/revealed.tsx';
import { missingFields } from '../../components/schema-form/schema.ts';
import { texts as formTexts } from '../../components/schema-form/texts.ts';
import { SchemaInput } from '../../components/schema-input.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { inputSchemaOf, inspect, inspectable, type Inspected, textOf } from './inspection.ts';
import { type McpItem, useItems } from './mcp-api.ts';
import { texts } from './texts.ts';

function ResultView({ result }: { readonly result: Inspected }): ReactNode {
  const t = useTexts(texts);
  return (
    <Revealed>
      <section aria-label={t('result')} className="output-frame">
        <Tag color={result.isError === true ? 'error' : 'success'}>{t(result.isError === true ? 'toolFailed' : 'toolDone')}</Tag>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long results are scrolled by keyboard */}
        <pre tabIndex={0} className="wrap" translate="no">
          {textOf(result)}
        </pre>
      </section>
    </Revealed>
  );
}

const acts = { tool: 'callTool', resource: 'readResource', template: 'readResource', prompt: 'getPrompt' } as const;

function ItemForm({ server, item }: { readonly server: string; readonly item: McpItem }): ReactNode {
  const t = useTexts(texts);
  const tf = useTexts(formTexts);
  const schema = inputSchemaOf(item);
  const [input, setInput] = useState<Spec>({});
  const [checked, setChecked] = useState(false);
  const trial = useMutation({ mutationFn: () => inspect(server, item, input) });
  const missing = missingFields(schema, input);
  const problems = checked ? Object.fromEntries(missing.map((path) => [path, tf('required')])) : {};
  const start = (): void => {
    setChecked(true);
    if (missing.length === 0) trial.mutate();
  };
  return (
    <>
      <p translate="no">{item.definition?.description}</p>
      <ActForm layout="vertical" onFinish={start}>
        {item.kind !== 'resource' && <SchemaInput schema={schema} value={input} onChange={setInput} problems={problems} />}
        <ActButton type="primary" htmlType="submit" icon={<CaretRightOutlined aria-hidden />} loading={trial.isPending}>
          {t(acts[item.kind === 'instructions' ? 'tool' : item.kind])}
        </ActButton>
      </ActForm>
      {trial.error !== null && <ErrorState error={trial.error} />}
      {trial.data !== undefined && !trial.isPending && <ResultView key={trial.submittedAt} result={trial.data} />}
    </>
  );
}

const keyOf = ({ kind, name }: McpItem): string => `${kind} ${name}`;

export function InspectorTab({ server }: { readonly server: string }): ReactNode {
  const t = useTexts(texts);
  const items = useItems(server);
  const [chosen, setChosen] = useState<string | null>(null);
  if (items.error !== null) return <ErrorState error={items.error} onRetry={() => void items.refetch()} />;
  if (items.data === undefined) return <Skeleton active />;
  const usable = items.data.filter(({ state, enabled, present }) => state === 'approved' && enabled && present);
  const groups = inspectable.flatMap((kind) => {
    const own = usable.filter((item) => item.kind === kind);
    return own.length === 0 ? [] : [{ kind, own }];
  });
  const [first] = groups.flatMap(({ own }) => own);
  if (first === undefined) return <EmptyState title={t('noTools')} help={t('noItemsHelp')} />;
  const item = usable.find((each) => keyOf(each) === chosen) ?? first;
  return (
    <>
      <p className="form-help">{t('inspectorHelp')}</p>
      <Form.Item label={t('inspected')} htmlFor="inspector-item" layout="vertical">
        <Select
          id="inspector-item"
          aria-label={t('inspected')}
          showSearch
          value={keyOf(item)}
          options={groups.map(({ kind, own }) => ({
            label: t(`item.${kind}`),
            options: own.map((each) => ({ value: keyOf(each), label: <span translate="no">{each.name}</span> })),
          }))}
          onChange={setChosen}
        />
      </Form.Item>
      <ItemForm key={keyOf(item)} server={server} item={item} />
    </>
  );
}
