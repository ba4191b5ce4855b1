/** A collection's settings, members, index and usage. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { pages, reason, request } from "../api/http";
import type { Collection, Member, Role, Usage } from "../api/types";
import { moment, size } from "../format";
import { Bar, Confirm, Loading, Notice } from "../parts/controls";
import { DeadLetters } from "../parts/dead-letters";
import { Deletions } from "../parts/deletions";
import { ReembeddingPanel } from "../parts/reembedding";
import { SearchDefaultsPanel } from "../parts/search-defaults";
import { go, paths } from "../route";
import { changed, editable, gone, owned } from "../state/collections";
import { toast } from "../state/toasts";

export function Settings({ collection }: { readonly collection: Collection }) {
  return (
    <main class="page narrow" id="main" tabIndex={-1}>
      <header class="page-head"><h1>Settings</h1></header>
      <General collection={collection} key={`general ${collection.id}`} />
      <SearchDefaultsPanel collection={collection} key={`search ${collection.id}`} />
      <Members collection={collection} key={`members ${collection.id}`} />
      {owned(collection) && <ReembeddingPanel collection={collection} key={`index ${collection.id}`} />}
      {editable(collection) && <DeadLetters collection={collection} key={`letters ${collection.id}`} />}
      <Deletions collection={collection} key={`deletions ${collection.id}`} />
      <UsagePanel />
      {owned(collection) && <Danger collection={collection} />}
    </main>
  );
}

function General({ collection }: { readonly collection: Collection }) {
  const name = useSignal(collection.name);
  const description = useSignal(collection.description ?? "");
  const days = useSignal(String(collection.expires_after_days ?? ""));
  const problem = useSignal("");
  const may = owned(collection);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    problem.value = "";
    const expiry = days.value.trim() === "" ? 0 : Number(days.value);
    try {
      const json = { name: name.value.trim(), description: description.value.trim(), expires_after_days: expiry };
      changed(await request<Collection>("PATCH", `/collections/${collection.id}`, { json }));
      toast("Settings saved.");
    } catch (error) {
      problem.value = reason(error);
    }
  };
  return (
    <section class="panel" aria-labelledby="general">
      <h2 id="general">General</h2>
      {problem.value && <Notice>{problem.value}</Notice>}
      <form class="stack" onSubmit={(event) => void save(event)}>
        <label class="field"><span>Name</span><input required maxLength={200} disabled={!may} value={name} onInput={(event) => (name.value = event.currentTarget.value)} /></label>
        <label class="field"><span>Description</span><input maxLength={512} disabled={!may} value={description} onInput={(event) => (description.value = event.currentTarget.value)} /></label>
        <label class="field">
          <span>Delete after so many days without use</span>
          <input type="number" min={0} max={365} disabled={!may} placeholder="Never" value={days} onInput={(event) => (days.value = event.currentTarget.value)} />
          {collection.expires_at && <small class="muted">As it is now, it is deleted on {moment(collection.expires_at)} unless it is used.</small>}
        </label>
        <dl class="facts-list">
          <div><dt>Your role</dt><dd>{collection.role}</dd></div>
          <div><dt>Embedding model</dt><dd>{collection.embedding_model}</dd></div>
          <div><dt>Passages of</dt><dd>{collection.chunking.max_tokens} tokens, overlapping by {collection.chunking.overlap_tokens}</dd></div>
          <div><dt>Stored</dt><dd>{size(collection.storage_bytes)}</dd></div>
          <div><dt>Created</dt><dd>{moment(collection.created_at)}</dd></div>
        </dl>
        {may ? <footer class="row end"><button type="submit" class="primary">Save</button></footer> : <p class="muted small">The owner changes these.</p>}
      </form>
    </section>
  );
}

const ROLES: readonly Role[] = ["viewer", "editor", "owner"];

function Members({ collection }: { readonly collection: Collection }) {
  const members = useSignal<readonly Member[] | null>(null);
  const problem = useSignal("");
  const user = useSignal("");
  const role = useSignal<Role>("viewer");
  const removing = useSignal<Member | null>(null);
  const path = `/collections/${collection.id}/members`;
  const may = owned(collection);
  const load = async (): Promise<void> => {
    try {
      const found: Member[] = [];
      for await (const page of pages<Member>(path)) found.push(...page);
      members.value = found;
    } catch (error) {
      problem.value = reason(error);
    }
  };
  useEffect(() => void load(), []);
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    problem.value = "";
    try {
      await work();
    } catch (error) {
      problem.value = reason(error);
    }
    await load();
  };
  const set = (id: string, as: Role): Promise<void> => attempt(() => request("PUT", `${path}/${encodeURIComponent(id)}`, { json: { role: as } }));
  return (
    <section class="panel" aria-labelledby="members">
      <h2 id="members">Members</h2>
      {problem.value && <Notice>{problem.value}</Notice>}
      {!members.value && !problem.value && <Loading what="Loading the members" />}
      <ul class="rows">
        {members.value?.map((one) => (
          <li class="row" key={one.user_id}>
            <span class="grow break">{one.name}</span>
            {may ? (
              <>
                <select aria-label={`Role of ${one.name}`} value={one.role} onChange={(event) => void set(one.user_id, event.currentTarget.value as Role)}>
                  {ROLES.map((each) => <option key={each} value={each}>{each}</option>)}
                </select>
                <button type="button" class="quiet" aria-label={`Remove ${one.name}`} onClick={() => (removing.value = one)}>Remove</button>
              </>
            ) : <span class="muted">{one.role}</span>}
          </li>
        ))}
      </ul>
      {may && (
        <form class="row wrap" onSubmit={(event) => (event.preventDefault(), void set(user.value.trim(), role.value).then(() => problem.value || (user.value = "")))}>
          <input class="grow" aria-label="User id of a new member" placeholder="User id of a colleague" required value={user} onInput={(event) => (user.value = event.currentTarget.value)} />
          <select aria-label="Role of the new member" value={role.value} onChange={(event) => (role.value = event.currentTarget.value as Role)}>
            {ROLES.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
          <button type="submit" class="quiet">Add member</button>
        </form>
      )}
      {removing.value && (
        <Confirm title="Remove this member?" action="Remove" onClose={() => (removing.value = null)} onConfirm={() => {
          const id = removing.value?.user_id;
          if (id) void attempt(() => request("DELETE", `${path}/${id}`));
        }}>
          <p>{removing.value.name} no longer sees this collection.</p>
        </Confirm>
      )}
    </section>
  );
}

function UsagePanel() {
  const usage = useSignal<Usage | null>(null);
  const problem = useSignal("");
  useEffect(() => {
    request<Usage>("GET", "/usage").then((found) => (usage.value = found)).catch((error: unknown) => (problem.value = reason(error)));
  }, []);
  const now = usage.value;
  return (
    <section class="panel" aria-labelledby="usage">
      <h2 id="usage">Your usage</h2>
      {problem.value && <Notice>{problem.value}</Notice>}
      {now && (
        <div class="stack">
          <Meter name="Collections" used={now.collections} most={now.quotas.collections ?? 0} told={String} />
          <Meter name="Storage" used={now.storage_bytes} most={now.quotas.storage_bytes ?? 0} told={size} />
          <Meter name="Model tokens today" used={now.tokens_used} most={now.quotas.tokens_per_day ?? 0} told={(number) => number.toLocaleString()} />
          <p class="muted small">Tokens are counted anew from {moment(now.resets_at)}.</p>
        </div>
      )}
    </section>
  );
}

function Meter({ name, used, most, told }: { readonly name: string; readonly used: number; readonly most: number; readonly told: (value: number) => string }) {
  return (
    <div class="meter">
      <p class="row"><span class="grow">{name}</span><span class="muted">{told(used)} of {told(most)}</span></p>
      <Bar value={most ? used / most : 0} label={`${name}: ${told(used)} of ${told(most)}`} />
    </div>
  );
}

function Danger({ collection }: { readonly collection: Collection }) {
  const asked = useSignal(false);
  const erase = async (): Promise<void> => {
    try {
      await request("DELETE", `/collections/${collection.id}`);
      gone(collection.id);
      go(paths.home());
      toast(`${collection.name} is deleted.`);
    } catch (error) {
      toast(reason(error), "error");
    }
  };
  return (
    <section class="panel" aria-labelledby="danger">
      <h2 id="danger">Delete this collection</h2>
      <p class="muted">Its files, passages and members are removed for good.</p>
      <button type="button" class="danger" onClick={() => (asked.value = true)}>Delete collection</button>
      {asked.value && (
        <Confirm title={`Delete ${collection.name}?`} action="Delete collection" onClose={() => (asked.value = false)} onConfirm={() => void erase()}>
          <p>All its files are deleted for good. This cannot be undone.</p>
        </Confirm>
      )}
    </section>
  );
}
