/**
 * Files that wait for their upload, kept in the browser so that a reload loses none. A browser without a database, or
 * without room, keeps nothing: the page then asks before it is left.
 */

const DATABASE = "modulo.uploads";
const STORE = "waiting";
/** Larger files are not copied into the browser's database. */
export const MAX_KEPT_BYTES = 100 * 1024 * 1024;

/** Whether this window is the one that keeps uploads: of several, each of which would send them, the first. */
export const alone: Promise<boolean> = new Promise((resolve) => {
  if (!("locks" in navigator)) return resolve(false); // it exists only where the page was loaded securely
  void navigator.locks.request(DATABASE, { ifAvailable: true }, (lock) => {
    resolve(lock !== null);
    return lock ? new Promise<never>(() => undefined) : undefined; // held until the window is closed
  });
});

export interface KeptUpload {
  readonly key: string;
  /** Whose upload it is. */
  readonly user: string;
  readonly collection: string;
  readonly collectionName: string;
  readonly name: string;
  readonly file: File;
}

/** Keep these; whether there was room for them. */
export async function keep(uploads: readonly KeptUpload[]): Promise<boolean> {
  return run("readwrite", (store) => uploads.map((one) => store.put(one)).at(-1)).then(() => true, () => false);
}

export async function forget(keys: readonly string[]): Promise<void> {
  await run("readwrite", (store) => keys.map((one) => store.delete(one)).at(-1)).catch(() => undefined);
}

export async function forgetAll(): Promise<void> {
  await run("readwrite", (store) => store.clear()).catch(() => undefined);
}

export async function kept(user: string): Promise<readonly KeptUpload[]> {
  const found = await run<KeptUpload[]>("readonly", (store) => store.getAll() as IDBRequest<KeptUpload[]>).catch(() => []);
  return (found ?? []).filter((one) => one.user === user);
}

/** One connection for all: a folder has thousands of files. */
let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "key" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const made = opening.result;
      made.onclose = () => (opened = null); // the browser has taken it away
      made.onversionchange = () => (made.close(), (opened = null));
      resolve(made);
    };
  }).catch((error: unknown) => {
    opened = null;
    throw error;
  });
  return opened;
}

async function run<Result>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<Result> | undefined): Promise<Result | undefined> {
  const transaction = (await database()).transaction(STORE, mode);
  return new Promise((resolve, reject) => {
    const asked = work(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(asked?.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}
