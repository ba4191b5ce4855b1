/** The frame around every screen. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Collection } from "./api/types";
import { listed } from "./format";
import { Empty, Help, IconButton, Loading, Notice } from "./parts/controls";
import { Icon, type IconName, Logo } from "./parts/icons";
import { Queue } from "./parts/queue";
import { ThreadList } from "./parts/threads";
import { Toasts } from "./parts/toasts";
import { collectionId, paths, route } from "./route";
import { Ask } from "./screens/ask";
import { FileScreen } from "./screens/file";
import { Files } from "./screens/files";
import { Home } from "./screens/home";
import { Settings } from "./screens/settings";
import { SignIn } from "./screens/sign-in";
import { collections, collectionsProblem, current, editable, loadCollections } from "./state/collections";
import { fromDrop } from "./state/dropped";
import { caller, signOut, signingIn } from "./state/session";
import { close, source } from "./state/source";
import { nextTheme, theme } from "./state/theme";
import { toast } from "./state/toasts";
import { enqueue } from "./state/uploads";

export function App() {
  useKeyboard();
  useTitle();
  if (!caller.value) return signingIn.value ? <main class="sign-in" id="main"><Loading what="Signing in" /></main> : <><SignIn /><Toasts /></>;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>Skip to content</a>
      <Shell />
      <Toasts />
    </>
  );
}

function Shell() {
  const collection = current.value;
  useEffect(() => {
    if (!collections.value) void loadCollections();
  }, []);
  return (
    <div class="shell">
      <Side collection={collection} />
      <div class="stage-area">
        <TopBar collection={collection} />
        <Screen collection={collection} />
        {collection && <Tabs collection={collection} />}
      </div>
      <Queue />
      <DropTarget collection={collection} />
    </div>
  );
}

function Screen({ collection }: { readonly collection: Collection | null }) {
  const shown = route.value;
  if (shown.screen === "home") return <Home />;
  if (!collection) return <NoCollection />;
  const key = collection.id;
  if (shown.screen === "files") return <Files key={key} collection={collection} />;
  if (shown.screen === "file") return <FileScreen key={shown.file} collection={collection} id={shown.file} page={shown.page} />;
  if (shown.screen === "settings") return <Settings key={key} collection={collection} />;
  return <Ask key={key} collection={collection} />;
}

function NoCollection() {
  return (
    <main class="page" id="main" tabIndex={-1}>
      {collectionsProblem.value && <Notice action="Try again" onAction={() => void loadCollections()}>{collectionsProblem.value}</Notice>}
      {!collections.value && !collectionsProblem.value && <Loading what="Loading" />}
      {collections.value && (
        <Empty icon="files" title="This collection is not here">
          <p>It was deleted, or it is not shared with you.</p>
          <a class="button primary" href={paths.home()}>See your collections</a>
        </Empty>
      )}
    </main>
  );
}

const SCREENS = [
  { screen: "ask", title: "Ask", icon: "chat", path: (id: string) => paths.ask(id) },
  { screen: "files", title: "Files", icon: "files", path: paths.files },
  { screen: "settings", title: "Settings", icon: "settings", path: paths.settings },
] as const satisfies readonly { screen: string; title: string; icon: IconName; path: (id: string) => string }[];

const screenShown = (): string => (route.value.screen === "file" ? "files" : route.value.screen);

function Side({ collection }: { readonly collection: Collection | null }) {
  return (
    <aside class="side">
      <a class="brand" href={paths.home()}><Logo /> <span>Modulo</span></a>
      <nav aria-label="Main">
        <a class="nav-item" href={paths.home()} aria-current={route.value.screen === "home" ? "page" : undefined}><Icon name="grid" size={18} /> Collections</a>
      </nav>
      {collection && (
        <nav aria-label={`Collection ${collection.name}`}>
          <p class="side-title ellipsis" dir="auto" title={collection.name}>{collection.name}</p>
          {SCREENS.map((one) => (
            <a key={one.screen} class="nav-item" href={one.path(collection.id)} aria-current={screenShown() === one.screen ? "page" : undefined}><Icon name={one.icon} size={18} /> {one.title}</a>
          ))}
        </nav>
      )}
      {collection && route.value.screen === "ask" ? <div class="side-threads"><p class="side-title">Conversations</p><ThreadList collection={collection.id} /></div> : <div class="grow" />}
      <Help />
      <Account />
    </aside>
  );
}

const THEMES = { system: ["system", "Theme: as the system"], light: ["sun", "Theme: light"], dark: ["moon", "Theme: dark"] } as const;

function Account() {
  const [icon, label] = THEMES[theme.value];
  return (
    <div class="account row">
      <span class="grow ellipsis small muted" title={caller.value?.user.name}>{caller.value?.user.name}</span>
      <IconButton icon={icon} label={label} onClick={nextTheme} />
      <IconButton icon="leave" label="Sign out" onClick={() => signOut()} />
    </div>
  );
}

function TopBar({ collection }: { readonly collection: Collection | null }) {
  return (
    <header class="top-bar">
      {collection ? (
        <>
          <a class="icon-button" href={paths.home()} aria-label="All collections"><Icon name="back" /></a>
          <span class="grow ellipsis strong" dir="auto">{collection.name}</span>
        </>
      ) : (
        <a class="brand grow" href={paths.home()}><Logo /> <span>Modulo</span></a>
      )}
      <Account />
    </header>
  );
}

function Tabs({ collection }: { readonly collection: Collection }) {
  return (
    <nav class="tabs" aria-label="Collection">
      {SCREENS.map((one) => (
        <a key={one.screen} href={one.path(collection.id)} aria-current={screenShown() === one.screen ? "page" : undefined}><Icon name={one.icon} /> {one.title}</a>
      ))}
    </nav>
  );
}

/** Files may be dropped anywhere; they go to the collection that is shown at that moment. */
function DropTarget({ collection }: { readonly collection: Collection | null }) {
  const over = useSignal(false);
  const target = useRef(collection);
  target.current = collection;
  useEffect(() => {
    let depth = 0;
    const holds = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent): void => {
      if (!holds(event)) return;
      depth += 1;
      over.value = true;
    };
    const leave = (event: DragEvent): void => {
      if (!holds(event)) return;
      depth = Math.max(0, depth - 1);
      over.value = depth > 0;
    };
    const move = (event: DragEvent): void => {
      if (holds(event)) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      if (!holds(event) || !event.dataTransfer) return;
      event.preventDefault();
      depth = 0;
      over.value = false;
      const into = target.current;
      if (!into) return void toast("Open a collection first, then drop files into it.", "error");
      if (!editable(into)) return void toast("You may read this collection. Its editors add files.", "error");
      void fromDrop(event.dataTransfer).then(({ chosen, unreadable }) => {
        enqueue(into, chosen);
        if (unreadable.length) toast(`This browser could not read ${listed(unreadable)}.`, "error");
        else if (!chosen.length) toast("There was no file in what you dropped.", "error");
      });
    };
    const all = { dragenter: enter, dragleave: leave, dragover: move, drop } as const;
    for (const [name, listener] of Object.entries(all)) addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(all)) removeEventListener(name, listener as EventListener);
    };
  }, []);
  if (!over.value) return null;
  return (
    <div class="drop" aria-hidden="true">
      <div class="drop-box">
        <Icon name="upload" size={32} />
        <p>{collection ? `Drop to add to ${collection.name}` : "Open a collection first"}</p>
      </div>
    </div>
  );
}

function useKeyboard(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
      if (event.key === "/" && !typing && !event.metaKey && !event.ctrlKey && !event.altKey) {
        const field = document.getElementById("question") ?? document.getElementById("filter");
        if (!field) return;
        event.preventDefault();
        field.focus();
      } else if (event.key === "Escape" && source.value && !document.querySelector("dialog:modal")) close();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

const TITLES = { home: "Collections", ask: "Ask", files: "Files", file: "File", settings: "Settings" } as const;

/** The window's title, and the focus on the new screen, so that a screen reader begins there. */
function useTitle(): void {
  const { screen } = route.value;
  const name = current.value?.name;
  const first = useRef(true);
  useEffect(() => {
    document.title = [TITLES[screen], name, "Modulo"].filter(Boolean).join(" · ");
  }, [screen, name]);
  useEffect(() => {
    if (!first.current && screen !== "ask") document.getElementById("main")?.focus({ preventScroll: true });
    first.current = false;
  }, [screen, collectionId.value]);
}
