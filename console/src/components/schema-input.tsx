/** Input for a skill or a tool: a form made from its schema, or the same value as JSON. */
import { Form, Segmented } from 'antd';
import { type ReactNode, useId, useMemo, useState } from 'react';
import type { FormSchema } from '../api/kinds.ts';
import { useTexts } from '../i18n/texts.ts';
import type { FormProblems } from './schema-form/form-context.ts';
import { JsonControl } from './schema-form/json-control.tsx';
import { SchemaForm } from './schema-form/schema-form.tsx';
import { texts } from './texts.ts';

type Input = Readonly<Record<string, unknown>>;

interface SchemaInputProps {
  readonly schema: FormSchema;
  readonly value: Input;
  readonly onChange: (value: Input) => void;
  readonly problems?: FormProblems;
}

/** A name fits in this many characters; longer texts may have several lines. */
const longestLine = 200;

/** Texts of several lines get room for them: a single line would drop the breaks of a pasted text. */
function withLines(schema: FormSchema): FormSchema {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const isLong = field.type === 'string' && field.format === undefined && (field.maxLength ?? Infinity) > longestLine;
    return [name, isLong ? { ...field, 'x-multiline': true } : field] as const;
  });
  return { ...schema, properties: Object.fromEntries(fields) };
}

export function SchemaInput({ schema, value, onChange, problems = {} }: SchemaInputProps): ReactNode {
  const t = useTexts(texts);
  const id = useId();
  const hasFields = Object.keys(schema.properties ?? {}).length > 0;
  const shown = useMemo(() => withLines(schema), [schema]);
  const [way, setWay] = useState<'form' | 'json'>(hasFields ? 'form' : 'json');
  return (
    <div className="schema-input">
      {hasFields && (
        <Segmented<'form' | 'json'>
          size="small"
          aria-label={t('inputWay')}
          value={way}
          options={[
            { value: 'form', label: t('inputForm') },
            { value: 'json', label: 'JSON' },
          ]}
          onChange={setWay}
        />
      )}
      {/* Names and descriptions of fields are those of the schema's author. */}
      <div translate="no">
        {way === 'form' ? (
          <SchemaForm schema={shown} value={value} onChange={onChange} problems={problems} />
        ) : (
          <Form.Item label={t('inputJson')} htmlFor={id} layout="vertical">
            <JsonControl
              id={id}
              disabled={false}
              aria-label={t('inputJson')}
              value={value}
              onChange={(next) => onChange((next ?? {}) as Input)}
            />
          </Form.Item>
        )}
      </div>
    </div>
  );
}
