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

export async function keep(upload: KeptUpload): Promise<boolean> {
  if (upload.file.size > MAX_KEPT_BYTES) return false;
  return run("readwrite", (store) => store.put(upload)).then(() => true, () => false);
}

export async function forget(key: string): Promise<void> {
  await run("readwrite", (store) => store.delete(key)).catch(() => undefined);
}

export async function forgetAll(): Promise<void> {
  await run("readwrite", (store) => store.clear()).catch(() => undefined);
}

export async function kept(user: string): Promise<readonly KeptUpload[]> {
  const found = await run<KeptUpload[]>("readonly", (store) => store.getAll() as IDBRequest<KeptUpload[]>).catch(() => []);
  return found.filter((one) => one.user === user);
}

function run<Result>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "key" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(STORE, mode);
      const asked = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => (opening.result.close(), resolve(asked.result));
      transaction.onabort = transaction.onerror = () => (opening.result.close(), reject(transaction.error));
    };
  });
}
