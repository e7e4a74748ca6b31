/** Names with values, such as headers. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Input, Space } from 'antd';
import { type ReactNode, use } from 'react';
import type { FormSchema } from '../../api/kinds.ts';
import { useTexts } from '../../i18n/texts.ts';
import { FormContext } from './form-context.ts';
import { controlOf, withoutNull } from './schema.ts';
import { SimpleControl } from './simple-control.tsx';
import { texts } from './texts.ts';

interface MapFieldProps {
  readonly schema: FormSchema;
  readonly title: string;
  readonly path: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

export function MapField({ schema, title, path, value, onChange }: MapFieldProps): ReactNode {
  const t = useTexts(texts);
  const { disabled } = use(FormContext);
  const entries = Object.entries((value ?? {}) as Readonly<Record<string, unknown>>);
  const inner = withoutNull(typeof schema.additionalProperties === 'object' ? schema.additionalProperties : { type: 'string' }).schema;
  const write = (next: readonly (readonly [string, unknown])[]): void => onChange(Object.fromEntries(next));
  return (
    <div className="form-list">
      {entries.map(([name, each], index) => (
        <Space.Compact key={index} block>
          <Input
            value={name}
            disabled={disabled}
            aria-label={`${title}: ${t('key')} ${index + 1}`}
            placeholder={t('key')}
            onChange={({ target }) => write(entries.with(index, [target.value, each]))}
          />
          <SimpleControl
            id={`${path}-${index}`}
            title={`${title}: ${t('value')} ${index + 1}`}
            schema={inner}
            control={controlOf(inner)}
            path={`${path}.${name}`}
            value={each}
            optional
            nullable={false}
            onChange={(next) => write(entries.with(index, [name, next ?? '']))}
          />
          <Button
            icon={<DeleteOutlined aria-hidden />}
            disabled={disabled}
            aria-label={`${t('remove')}: ${title} ${index + 1}`}
            onClick={() => write(entries.toSpliced(index, 1))}
          />
        </Space.Compact>
      ))}
      <Button
        icon={<PlusOutlined aria-hidden />}
        // A second entry without a name would replace the first.
        disabled={disabled || entries.some(([name]) => name === '')}
        aria-label={`${t('add')}: ${title}`}
        onClick={() => write([...entries, ['', '']])}
      >
        {t('add')}
      </Button>
    </div>
  );
}
