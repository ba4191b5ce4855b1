/** The files of a drop or of a chosen folder, with those of folders inside. */
import type { Chosen } from "./uploads";

const HIDDEN = /(^|\/)\./;

export interface Dropped {
  readonly chosen: readonly Chosen[];
  /** Names of what the browser could not read. */
  readonly unreadable: readonly string[];
}

export async function fromDrop(transfer: DataTransfer): Promise<Dropped> {
  // Both have to be taken before the first await, after which the browser empties the lists.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const plain = [...transfer.files];
  if (entries.every((entry) => !entry)) return { chosen: plain.map((file) => ({ file, name: file.name })), unreadable: [] };
  const [chosen, unreadable]: [Chosen[], string[]] = [[], []];
  for (const entry of entries) {
    if (entry?.isDirectory) await inside(entry as FileSystemDirectoryEntry, [], chosen, unreadable);
    else if (entry) await take(entry as FileSystemFileEntry, [], chosen, unreadable);
  }
  return { chosen, unreadable };
}

export function fromInput(list: FileList): readonly Chosen[] {
  return [...list]
    .filter((file) => !HIDDEN.test(file.webkitRelativePath))
    .map((file) => ({ file, name: file.webkitRelativePath ? named(file.webkitRelativePath.split("/").slice(1)) : file.name }));
}

/** A name holds no slash: the parts of a path are joined as the command does it. */
function named(parts: readonly string[]): string {
  return parts.join(" - ");
}

async function inside(folder: FileSystemDirectoryEntry, path: readonly string[], chosen: Chosen[], unreadable: string[]): Promise<void> {
  const reader = folder.createReader();
  for (;;) {
    let some: FileSystemEntry[];
    try {
      // A reader gives at most 100 entries at a time.
      some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    } catch {
      unreadable.push(folder.name);
      return;
    }
    if (!some.length) return;
    for (const each of some) {
      if (each.name.startsWith(".")) continue;
      if (each.isDirectory) await inside(each as FileSystemDirectoryEntry, [...path, each.name], chosen, unreadable);
      else await take(each as FileSystemFileEntry, path, chosen, unreadable);
    }
  }
}

async function take(entry: FileSystemFileEntry, path: readonly string[], chosen: Chosen[], unreadable: string[]): Promise<void> {
  try {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    chosen.push({ file, name: named([...path, file.name]) });
  } catch {
    unreadable.push(entry.name);
  }
}
