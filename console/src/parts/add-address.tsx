import { useSignal } from "@preact/signals";
import { reason, request } from "../api/http";
import type { Collection, UploadReceipt } from "../api/types";
import { identifier } from "../random";
import { loadFiles } from "../state/files";
import { toast } from "../state/toasts";
import { Dialog, Notice } from "./controls";

/** Add a page or document by its address. */
export function AddAddress({ collection, onClose }: { readonly collection: Collection; readonly onClose: () => void }) {
  const url = useSignal("");
  const problem = useSignal("");
  const busy = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    busy.value = true;
    problem.value = "";
    try {
      const headers = { "Idempotency-Key": identifier() };
      await request<UploadReceipt>("POST", `/collections/${collection.id}/urls`, { json: { url: url.value.trim() }, headers });
      toast("The address is fetched.");
      onClose();
      void loadFiles();
    } catch (error) {
      problem.value = reason(error);
      busy.value = false;
    }
  };
  return (
    <Dialog title="Add by address" onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        {problem.value && <Notice>{problem.value}</Notice>}
        <label class="field">
          <span>Address of a page or document</span>
          <input type="url" required maxLength={2000} autofocus placeholder="https://" value={url} onInput={(event) => (url.value = event.currentTarget.value)} />
        </label>
        <footer class="row end">
          <button type="button" class="quiet" onClick={onClose}>Cancel</button>
          <button type="submit" class="primary" disabled={busy.value}>Add</button>
        </footer>
      </form>
    </Dialog>
  );
}
