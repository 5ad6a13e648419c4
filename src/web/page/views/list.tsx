import type { ComponentChildren } from 'preact';

/** A view that scrolls by itself; it can be focused, so that the keyboard scrolls it too. */
export function View({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      {children}
    </div>
  );
}

interface ListProps {
  columns: readonly string[];
  /** The column with numbers, if there is one. */
  numbers?: string;
  caption?: string;
  /** The rows. */
  children: ComponentChildren;
}

export function List({ columns, numbers, caption, children }: ListProps) {
  return (
    <table class="list">
      {caption !== undefined && <caption>{caption}</caption>}
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col" class={column === numbers ? 'number' : undefined}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}
