/**
 * An answer's text. Models write a little Markdown: paragraphs, lists, headings, emphasis and code are drawn; everything
 * else is text. Nothing is ever parsed as HTML, and addresses are not made into links, as a document could plant them.
 */
import type { ComponentChildren, VNode } from "preact";
import type { Citation } from "../api/types";

interface Props {
  readonly text: string;
  readonly citations: readonly Citation[];
  readonly onCite: (citation: Citation) => void;
}

export function RichText({ text, citations, onCite }: Props) {
  const marks = new Map(citations.map((one) => [one.mark, one]));
  const inline = (line: string): ComponentChildren => spans(line, marks, onCite);
  return <div class="prose answer-text">{blocks(text).map((block, at) => drawn(block, at, inline))}</div>;
}

type Block =
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "list"; readonly ordered: boolean; readonly start: number; readonly items: readonly string[] };

const FENCE = /^\s*```/;
const HEADING = /^#{1,6}\s+(.*)$/;
const ITEM = /^\s*(?:[-*•]|(\d{1,3})[.)])\s+(.*)$/;

export function blocks(text: string): Block[] {
  const found: Block[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const item = ITEM.exec(line);
    if (FENCE.test(line)) {
      const code: string[] = [];
      for (at += 1; at < lines.length && !FENCE.test(lines[at] ?? ""); at += 1) code.push(lines[at] ?? "");
      found.push({ kind: "code", text: code.join("\n") });
    } else if (item) {
      const ordered = item[1] !== undefined;
      const last = found[found.length - 1];
      if (last?.kind === "list" && last.ordered === ordered) found[found.length - 1] = { ...last, items: [...last.items, item[2] ?? ""] };
      else found.push({ kind: "list", ordered, start: Number(item[1] ?? 1), items: [item[2] ?? ""] });
    } else if (HEADING.test(line)) found.push({ kind: "heading", text: HEADING.exec(line)?.[1] ?? "" });
    else if (line.trim()) found.push({ kind: "paragraph", text: line });
  }
  return found;
}

function drawn(block: Block, key: number, inline: (line: string) => ComponentChildren): VNode {
  if (block.kind === "code") return <pre key={key}><code>{block.text}</code></pre>;
  if (block.kind === "heading") return <h3 key={key}>{inline(block.text)}</h3>;
  if (block.kind === "paragraph") return <p key={key}>{inline(block.text)}</p>;
  const items = block.items.map((item, at) => <li key={at}>{inline(item)}</li>);
  return block.ordered ? <ol key={key} start={block.start}>{items}</ol> : <ul key={key}>{items}</ul>;
}

const PARTS = /(\*\*[^*\n]+\*\*|`[^`\n]+`|\[\d{1,3}\])/;

function spans(line: string, marks: ReadonlyMap<number, Citation>, onCite: (citation: Citation) => void): ComponentChildren {
  return line.split(PARTS).map((part, at) => {
    const mark = /^\[(\d+)\]$/.exec(part)?.[1];
    const citation = mark ? marks.get(Number(mark)) : undefined;
    if (citation) return <CitationChip key={at} citation={citation} onCite={onCite} />;
    if (part.length > 4 && part.startsWith("**") && part.endsWith("**")) return <strong key={at}>{part.slice(2, -2)}</strong>;
    if (part.length > 2 && part.startsWith("`") && part.endsWith("`")) return <code key={at}>{part.slice(1, -1)}</code>;
    return part;
  });
}

function CitationChip({ citation, onCite }: { readonly citation: Citation; readonly onCite: (citation: Citation) => void }) {
  const where = `${citation.title}, page ${citation.page_number}`;
  return (
    <button type="button" class="cite" aria-label={`Source ${citation.mark}: ${where}`} title={where} onClick={() => onCite(citation)}>
      {citation.mark}
    </button>
  );
}
