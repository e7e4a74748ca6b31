/** Classifies HTML tables as data or layout, and computes the column of each cell. */
import { isCell } from './html-elements.ts';

interface Seen {
  readonly number: number;
  cells: number;
  mostCells: number;
  holdsTable: boolean;
}

/** The indexes of layout tables: those that contain tables or have one column. Mails are often laid out so. */
export async function layoutTables(html: string): Promise<ReadonlySet<number>> {
  const { Tokenizer } = await import('htmlparser2');
  const found = new Set<number>();
  const stack: Seen[] = [];
  let count = 0;
  const end = (): void => {
    const table = stack.pop();
    if (table !== undefined && (table.holdsTable || table.mostCells <= 1)) found.add(table.number);
  };
  const nothing = (): void => {};
  const tokenizer = new Tokenizer(
    {},
    {
      onopentagname(from, to) {
        const name = html.slice(from, to).toLowerCase();
        const table = stack.at(-1);
        if (name === 'table') {
          if (table !== undefined) table.holdsTable = true;
          stack.push({ number: count++, cells: 0, mostCells: 0, holdsTable: false });
        } else if (table !== undefined && name === 'tr') table.cells = 0;
        else if (table !== undefined && isCell(name)) table.mostCells = Math.max(table.mostCells, ++table.cells);
      },
      onclosetag(from, to) {
        if (html.slice(from, to).toLowerCase() === 'table') end();
      },
      isInForeignContext: () => false,
      onattribdata: nothing,
      onattribend: nothing,
      onattribentity: nothing,
      onattribname: nothing,
      oncdata: nothing,
      oncomment: nothing,
      ondeclaration: nothing,
      onend: nothing,
      onopentagend: nothing,
      onprocessinginstruction: nothing,
      onselfclosingtag: nothing,
      ontext: nothing,
      ontextentity: nothing,
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  while (stack.length > 0) end();
  return found;
}

const mostSpan = 100;
const spanOf = (given: string | undefined): number => Math.min(Math.max(Math.trunc(Number(given ?? 1)) || 1, 1), mostSpan);

/** Cells with colspan or rowspan leave empty cells. */
export function tableColumns() {
  /** For how many more rows a column is occupied. */
  let taken: number[] = [];
  let column = 0;
  let written = 0;
  const passTaken = (): void => {
    for (let left = taken[column] ?? 0; left > 0; left = taken[column] ?? 0) taken[column++] = left - 1;
  };
  return {
    get isInRow() {
      return column > 0;
    },
    startTable(): void {
      taken = [];
      column = 0;
      written = 0;
    },
    /** Ends the row. Returns how many cell separators are missing. */
    endRow(): number {
      const before = column;
      passTaken();
      const marks = column > before && before > 0 ? column - 1 - written : 0;
      column = 0;
      written = 0;
      return marks;
    },
    /** The number of separators before the cell. */
    cell(columns: string | undefined, rows: string | undefined): number {
      passTaken();
      const marks = column - written;
      written = column;
      for (let left = spanOf(columns), more = spanOf(rows) - 1; left > 0; left--) taken[column++] = more;
      return marks;
    },
  };
}
