/** The controls of single values: text, secret, number, switch, choice, reference, list of texts, JSON. */
import { Input, InputNumber, Select, Switch } from 'antd';
import { type ReactNode, use } from 'react';
import type { FormSchema } from '../../api/kinds.ts';
import { useTexts } from '../../i18n/texts.ts';
import { FileControl } from './file-control.tsx';
import { FormContext } from './form-context.ts';
import { HelpText } from './help-text.tsx';
import { JsonControl } from './json-control.tsx';
import { ReferenceControl } from './reference-control.tsx';
import { type Control, secretKept, withoutNull } from './schema.ts';
import { texts } from './texts.ts';

export interface SimpleControlProps {
  readonly id: string;
  readonly title: string;
  readonly schema: FormSchema;
  readonly control: Control;
  readonly path: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  /** An emptied field is left out. */
  readonly optional: boolean;
  /** An emptied field is null. */
  readonly nullable: boolean;
}

function placeholderOf({ examples, default: initial }: FormSchema): string | undefined {
  const [example] = examples ?? [];
  const shown = example ?? initial;
  return typeof shown === 'string' || typeof shown === 'number' ? String(shown) : undefined;
}

export function SimpleControl(props: SimpleControlProps): ReactNode {
  const { id, title, schema, control, value, onChange, optional, nullable } = props;
  const t = useTexts(texts);
  const { disabled } = use(FormContext);
  const nothing = nullable ? null : undefined;
  const write = (next: string): void => onChange(next === '' && optional ? nothing : next);
  const placeholder = placeholderOf(schema);
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  const labelled = { id, disabled, 'aria-label': title };

  switch (control) {
    case 'secret': {
      const kept = value === secretKept;
      return (
        <Input.Password
          {...labelled}
          autoComplete="new-password"
          visibilityToggle={!kept}
          value={kept ? '' : text}
          placeholder={t(kept ? 'secretKept' : 'secretNew')}
          onChange={({ target }) => write(target.value)}
        />
      );
    }
    case 'text':
      return (
        <Input
          {...labelled}
          value={text}
          placeholder={placeholder}
          maxLength={schema.maxLength}
          onChange={({ target }) => write(target.value)}
        />
      );
    case 'multiline':
      return (
        <Input.TextArea
          {...labelled}
          translate="no"
          value={text}
          placeholder={placeholder}
          autoSize={{ minRows: 2, maxRows: 16 }}
          onChange={({ target }) => write(target.value)}
        />
      );
    case 'number':
      return (
        <InputNumber
          {...labelled}
          className="form-number"
          value={typeof value === 'number' ? value : null}
          placeholder={placeholder}
          {...(schema.minimum === undefined ? {} : { min: schema.minimum })}
          {...(schema.maximum === undefined ? {} : { max: schema.maximum })}
          {...(schema.type === 'integer' ? { precision: 0 } : {})}
          onChange={(next) => onChange(next ?? nothing)}
        />
      );
    case 'switch':
      return <Switch {...labelled} checked={(value ?? schema.default) === true} onChange={onChange} />;
    case 'choice':
      return (
        <Select
          {...labelled}
          className="form-choice"
          allowClear={optional}
          value={value === null ? undefined : value}
          placeholder={
            schema.default === undefined ? (
              t('choose')
            ) : (
              <HelpText text={t('default', { value: `\`${JSON.stringify(schema.default)}\`` })} />
            )
          }
          options={(schema.enum ?? []).map((each) => ({ value: each, label: <span translate="no">{String(each)}</span> }))}
          onChange={(next: unknown) => onChange(next ?? nothing)}
        />
      );
    case 'strings': {
      const item = withoutNull(schema.items ?? {}).schema;
      const known = item.enum;
      // Names have a pattern; other texts may hold spaces and commas.
      const separators = item.pattern === undefined ? ['\n'] : [',', ' ', '\n'];
      return (
        <Select
          {...labelled}
          className="form-choice"
          mode={known === undefined ? 'tags' : 'multiple'}
          tokenSeparators={separators}
          value={Array.isArray(value) ? (value as string[]) : []}
          placeholder={known === undefined ? t('typeAndEnter') : t('choose')}
          options={(known ?? []).map((each) => ({ value: String(each), label: <span translate="no">{String(each)}</span> }))}
          suffixIcon={known === undefined ? null : undefined}
          labelRender={({ value: chosen }) => <span translate="no">{String(chosen)}</span>}
          {...(known === undefined ? { open: false } : {})}
          onChange={(next: string[]) => onChange(next.length === 0 && optional ? nothing : next)}
        />
      );
    }
    case 'file':
      return <FileControl {...labelled} value={value} onChange={(next) => onChange(next ?? nothing)} />;
    case 'reference':
      return <ReferenceControl {...labelled} reference={schema['x-reference'] ?? ''} value={text} onChange={write} />;
    default:
      return <JsonControl {...labelled} value={value} onChange={(next) => onChange(next ?? nothing)} />;
  }
}
